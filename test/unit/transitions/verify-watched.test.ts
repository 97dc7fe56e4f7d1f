import { expect, it, vi } from 'vitest';
import { kernelCopies } from '../../../src/transitions/copies.ts';
import { verify } from '../../../src/transitions/verify.ts';
import { bucketOf, flowOf, MemoryOwner, MemoryTable, sorting } from './memory-table.ts';

const HOST = 20;
const live = Array.from({ length: 10 }, (_, port) => flowOf(HOST, 2000 + port));

it('takes nothing for whole while flows are missing that were from the beginning', async () => {
  const table = new MemoryTable(live.slice(3));
  // Half a millisecond from one look at the clock to the next; the second round asks just a second after the beginning.
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 0.5;
    return now;
  });
  try {
    const owner = new MemoryOwner(
      () => live,
      () => {
        now = Math.max(now, 999.7);
      },
    );
    const copies = kernelCopies({ table }, sorting, new Set([bucketOf(HOST)]), () => true);
    const result = await verify(copies, owner.list, 1000, new AbortController().signal);
    expect(result).toMatchObject({ synced: false, missing: 3, rounds: 2 });
  } finally {
    clock.mockRestore();
  }
});
