import { expect, it } from 'vitest';
import { Doubts } from '../../../src/agent/doubts.ts';

const GROUP = 'fw1_fw2';
const after = (...pauses: readonly { at: number; milliseconds: number; clock?: boolean }[]) => {
  const doubts = new Doubts();
  for (const { at, milliseconds, clock = true } of pauses)
    doubts.stoodStill(milliseconds, [GROUP], at, clock);
  return doubts;
};

it.each([
  [400, 1399, 1400],
  [5000, 5999, 6000],
  [60_000, 9999, 10_000],
])('after %d ms a node doubts until it has heard what was said meanwhile', (milliseconds, last, end) => {
  const doubts = after({ at: 0, milliseconds });
  expect(doubts.of(GROUP, last)?.milliseconds).toBe(milliseconds);
  expect(doubts.of(GROUP, end)).toBeUndefined();
  expect(doubts.of('fw2_fw1', 0)).toBeUndefined();
});

it('a short pause after a long one makes nothing certain', () => {
  const doubts = after({ at: 0, milliseconds: 5000 }, { at: 500, milliseconds: 400 });
  expect(doubts.of(GROUP, 600)).toMatchObject({
    milliseconds: 5400,
    reason: 'this node stood still for 0.4 s',
  });
  const without = after({ at: 0, milliseconds: 400, clock: false }, { at: 500, milliseconds: 400 });
  expect(without.of(GROUP, 600)?.milliseconds).toBe(Number.POSITIVE_INFINITY);
});

it('a change of owner ends it', () => {
  const doubts = after({ at: 0, milliseconds: 5000 });
  doubts.settle(GROUP);
  expect(doubts.of(GROUP, 1)).toBeUndefined();
});
