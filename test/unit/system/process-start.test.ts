import { execa } from 'execa';
import { expect, it } from 'vitest';
import { startOf, uptimeTicks } from '../../../src/system/process-start.ts';

it('tells when a process started, the same again and again', async () => {
  const before = uptimeTicks();
  // Its name must not be taken for fields.
  const child = execa('sh', ['-c', 'printf ") Z 1 1" >/proc/$$/comm; cat'], { reject: false });
  const start = startOf(child.pid ?? 0);
  expect(start).toBeGreaterThanOrEqual(before - 1);
  expect(start).toBeLessThanOrEqual(uptimeTicks() + 1);
  expect(startOf(child.pid ?? 0)).toBe(start);
  child.stdin?.end();
  await child;
  expect(startOf(child.pid ?? 0)).toBeUndefined();
  expect(startOf('self')).toBe(startOf(process.pid));
});

it('takes a zombie for ended', async () => {
  const parent = execa('sh', ['-c', 'sleep 0 & echo $!; exec sleep 5'], { reject: false });
  const [zombie] = await new Promise<string[]>((resolve) => {
    parent.stdout?.once('data', (data) => resolve(String(data).split('\n')));
  });
  await expect.poll(() => startOf(Number(zombie)), { timeout: 2000 }).toBeUndefined();
  parent.kill();
  await parent;
});
