import { execa } from 'execa';
import { expect, it } from 'vitest';
import { activityOf } from '../../../src/system/process-activity.ts';

const workOf = (pid: number | undefined): string | undefined => activityOf(pid ?? 0)?.work;

it('tells a process that has run between two looks from one that hasn’t, and whether it is stopped', async () => {
  const child = execa('sh', ['-c', 'while read -r line; do :; done'], { reject: false, stdin: 'pipe' });
  const { pid } = child;
  let before = workOf(pid);
  await expect
    .poll(() => {
      const same = workOf(pid) === before;
      before = workOf(pid);
      return same;
    })
    .toBe(true);
  child.stdin.write('\n');
  await expect.poll(() => workOf(pid)).not.toBe(before);
  child.kill('SIGSTOP');
  await expect.poll(() => activityOf(pid ?? 0)?.stopped).toBe(true);
  const stopped = workOf(pid);
  child.stdin.write('\n');
  expect(workOf(pid)).toBe(stopped);
  child.kill('SIGCONT');
  await expect.poll(() => activityOf(pid ?? 0)?.stopped).toBe(false);
  child.stdin.end();
  await child;
  expect(activityOf(pid ?? 0)).toBeUndefined();
});
