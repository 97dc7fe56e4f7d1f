import { expect, it } from 'vitest';
import { isOlder } from '../../../src/cluster/word-order.ts';

it.each([
  [{ ticks: 10, pid: 900 }, { ticks: 11, pid: 5 }, true],
  [{ ticks: 11, pid: 5 }, { ticks: 10, pid: 900 }, false],
  [{ ticks: 10, pid: 5 }, { ticks: 10, pid: 6 }, true],
  [{ ticks: 10, pid: 6 }, { ticks: 10, pid: 6 }, false],
])('%j is older than %j: %s', (one, other, older) => {
  expect(isOlder(one, other)).toBe(older);
});
