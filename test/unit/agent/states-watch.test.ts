import { describe, expect, it } from 'vitest';
import { StatesWatch } from '../../../src/agent/states-watch.ts';
import type { Testimony } from '../../../src/agent/witnesses.ts';

const setUp = (counts: number[], testimonies: (Testimony | undefined)[] = []) => {
  const told: unknown[] = [];
  const watch = new StatesWatch({
    witnesses: { look: async () => testimonies.shift() },
    count: () => counts.shift() ?? 0,
    vanished: async (testimony) => void told.push(testimony),
    thinned: () => told.push('thinned'),
    failed: (error) => told.push(error),
  });
  return { watch, told };
};

describe('StatesWatch', () => {
  it('tells of a table that has lost a quarter at once, but not again and again', async () => {
    const { watch, told } = setUp([100, 74, 30, 30, 10]);
    for (const now of [0, 1000, 2000, 3000, 30_000]) await watch.look(now);
    expect(told).toEqual(['thinned', 'thinned']);
  });

  it('tells nothing of a few, or of one that shrinks slowly', async () => {
    const { watch, told } = setUp([4, 0, 100, 76, 60, 50]);
    for (const now of [0, 1000, 2000, 3000, 4000, 5000]) await watch.look(now);
    expect(told).toEqual([]);
  });

  it('passes on what became of the witnesses, and what failed', async () => {
    const testimony = { looked: 10, vanished: 9 };
    const { watch, told } = setUp([0, 0], [undefined, testimony]);
    await watch.look();
    await watch.look();
    expect(told).toEqual([testimony]);
    const broken = new StatesWatch({
      witnesses: { look: () => Promise.reject(new Error('no answer')) },
      count: () => 0,
      vanished: async () => {},
      thinned: () => {},
      failed: (error) => told.push(error),
    });
    await broken.look();
    expect(told).toEqual([testimony, new Error('no answer')]);
  });
});
