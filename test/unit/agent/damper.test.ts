import { expect, it } from 'vitest';
import { Damper } from '../../../src/agent/damper.ts';

it('lets through what changes now and then', () => {
  const damper = new Damper();
  for (let now = 0; now < 600_000; now += 2000) {
    expect(damper.admits('fw1_fw2', 'took over', now)).toBe(true);
    expect(damper.summaries(now)).toEqual([]);
  }
});

it('sums up a minute of ten changes a second in a few lines, and says when it is over', () => {
  const damper = new Damper();
  const lines: string[] = [];
  let admitted = 0;
  for (let now = 0; now < 60_000; now += 100) {
    admitted += damper.admits('fw1_fw2', now % 200 === 0 ? 'took over' : 'released', now) ? 1 : 0;
    lines.push(...damper.summaries(now));
  }
  expect(admitted).toBe(6);
  expect(lines).toHaveLength(5);
  expect(lines[0]).toBe('fw1_fw2 changes hands too often: 101 more times in 10 s, at last: took over');
  const rest = [60_000, 70_500, 81_000, 91_500].flatMap((now) => damper.summaries(now));
  expect(rest.at(-1)).toBe('fw1_fw2 has come to rest');
  const counted = [...lines, ...rest].map((line) => Number(/: (\d+) more/.exec(line)?.[1] ?? 0));
  expect(counted.reduce((sum, count) => sum + count, admitted)).toBe(600);
  expect(damper.admits('fw1_fw2', 'took over', 95_000)).toBe(true);
});

it('judges each group for itself', () => {
  const damper = new Damper();
  for (let now = 0; now < 1000; now += 50) {
    damper.admits('fw1_fw2', 'took over', now);
  }
  expect(damper.admits('fw2_fw1', 'took over', 1000)).toBe(true);
});
