import { describe, expect, it } from 'vitest';
import { Flushes } from '../../../src/conntrackd/flushes.ts';

/** Agents one after the other on one machine. */
const machine = (text?: string) => {
  let kept = text;
  const memory = {
    read: () => kept,
    write: (written: string) => {
      kept = written;
    },
  };
  const agent = () => {
    const told: boolean[] = [];
    return { flushes: new Flushes(memory, (fresh) => told.push(fresh)), told };
  };
  return { agent };
};

describe('Flushes', () => {
  it('tells of each once, and whether it was seen as it happened', () => {
    const { flushes, told } = machine().agent();
    for (const times of [2, 2, 3, 2, 3]) flushes.count('one', times);
    expect(told).toEqual([false, true]);
    flushes.count('two', 0);
    flushes.count('two', 1);
    expect(told).toEqual([false, true, true]);
  });

  it('tells no later agent of what was dealt with', () => {
    const { agent } = machine();
    const first = agent();
    first.flushes.count('1:2:3', 0);
    first.flushes.count('1:2:3', 2);
    first.flushes.dealtWith();
    const second = agent();
    second.flushes.count('1:2:3', 2);
    expect(second.told).toEqual([]);
    second.flushes.count('1:2:3', 3);
    expect(second.told).toEqual([true]);
    // It was ended before it had dealt with that.
    const third = agent();
    third.flushes.count('1:2:3', 3);
    expect(third.told).toEqual([false]);
  });

  it('tells it of what another conntrackd has counted', () => {
    const { agent } = machine('1:2:3 5\n');
    const { flushes, told } = agent();
    flushes.count('1:2:4', 1);
    expect(told).toEqual([false]);
  });

  it.each(['', '\n', '1:2:3', '1:2:3 many\n', '1:2:3 5', '\0\u{ff}'])(
    'knows nothing from a file with %j',
    (text) => {
      const { flushes, told } = machine(text).agent();
      flushes.count('1:2:3', 5);
      expect(told).toEqual([false]);
    },
  );
});
