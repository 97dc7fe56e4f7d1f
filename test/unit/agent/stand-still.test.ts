import { expect, it } from 'vitest';
import { StandStill } from '../../../src/agent/stand-still.ts';

it('tells nothing of a process that looks in time, and how long one stood still', () => {
  const still = new StandStill(1000);
  expect([1100, 1300, 1649].map((now) => still.look(now))).toEqual([0, 0, 0]);
  expect(still.look(1999)).toBe(350);
  expect(still.look(2099)).toBe(0);
  expect(still.look(12_099)).toBe(10_000);
});
