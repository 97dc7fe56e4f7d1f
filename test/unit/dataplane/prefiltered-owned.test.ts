import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PrefilteredOwned } from '../../../src/dataplane/prefilter/prefiltered-owned.ts';

const done: string[] = [];
let failure: Error | undefined;
let owned: PrefilteredOwned;

/** Takes a moment, as the kernel does. */
const step = async (text: string): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 2));
  done.push(text);
};

beforeEach(() => {
  done.length = 0;
  failure = undefined;
  owned = new PrefilteredOwned(
    {
      read: async () => new Set([1, 2]),
      change: ({ add, remove }) => step(`own +${add} -${remove}`),
      renew: (buckets) => step(`renew ${buckets}`),
      close: () => {},
    },
    {
      look: async () => {},
      pass: async (buckets) => {
        await step(`pass ${buckets}`);
        if (failure !== undefined) throw failure;
      },
      follow: (buckets) => step(`follow ${[...buckets]}`),
      remove: () => step('remove'),
      close: () => {},
    },
    (text) => done.push(text),
  );
});
afterEach(() => owned.close());

describe('owned buckets with programs before them', () => {
  it('pass a bucket before it is owned; what is given up waits for no program', async () => {
    const following = owned.follow();
    await Promise.all([owned.change({ add: [], remove: [1] }), following]);
    expect(done).toEqual(['own + -1', 'follow 1,2']);
    done.length = 0;
    await Promise.all([owned.change({ add: [3], remove: [] }), owned.change({ add: [], remove: [3] })]);
    expect(done).toEqual(['pass 3', 'own +3 -', 'own + -3']);
  });

  it('own nothing whose packets would be dropped, and try again', async () => {
    failure = new Error('refused');
    await expect(owned.change({ add: [3], remove: [] })).rejects.toThrow('refused');
    failure = undefined;
    await owned.change({ add: [4], remove: [] });
    expect(done).toEqual(['pass 3', 'pass 4', 'own +4 -']);
  });

  it('leave no program to nobody', async () => {
    const change = owned.change({ add: [3], remove: [] });
    await owned.close();
    await change;
    expect(done).toEqual(['pass 3', 'own +3 -', 'remove']);
  });
});
