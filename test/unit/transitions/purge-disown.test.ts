import { describe, expect, it } from 'vitest';
import { disown } from '../../../src/transitions/disown.ts';
import { purge } from '../../../src/transitions/purge.ts';
import { UDP } from '../../support/flows.ts';
import { bucketOf, flowOf, MemoryTable, sorting } from './memory-table.ts';

const MINE = 20;
const THEIRS = 21;
const foreign = (bucket: number): boolean => bucket === bucketOf(THEIRS);

describe('purge', () => {
  it('deletes the replicated entries of foreign buckets, and no others', async () => {
    const kept = [flowOf(MINE), flowOf(THEIRS, 4000, UDP)];
    const table = new MemoryTable([flowOf(THEIRS, 1), ...kept, flowOf(THEIRS, 2)]);
    expect(await purge({ table }, sorting, foreign, new AbortController().signal)).toBe(2);
    expect(table.flows).toEqual(kept);
  });

  it('deletes nothing more once it is called off', async () => {
    const job = new AbortController();
    const table = new MemoryTable(
      Array.from({ length: 200 }, (_, port) => flowOf(THEIRS, port)),
      50,
    );
    table.beforePiece = () => {
      if (table.removed.length > 0) {
        job.abort();
      }
    };
    expect(await purge({ table }, sorting, foreign, job.signal)).toBe(50);
    expect(table.flows).toHaveLength(150);
  });
});

describe('disown', () => {
  const cacheThat = (drained: boolean, job: AbortController, abort = false) => {
    const did: string[] = [];
    const cache = {
      identity: async () => 'one',
      drained: async () => {
        did.push('drained');
        if (abort) {
          job.abort();
        }
        return drained;
      },
      flush: async () => {
        did.push('flush');
      },
      bulk: async () => {},
    };
    return { cache, did };
  };

  it.each([true, false])('empties the cache after its queues had time to run empty (%s)', async (drained) => {
    const job = new AbortController();
    const { cache, did } = cacheThat(drained, job);
    expect(await disown({ cache }, job.signal)).toBe(drained);
    expect(did).toEqual(['drained', 'flush']);
  });

  it('empties nothing once it is called off', async () => {
    const job = new AbortController();
    const { cache, did } = cacheThat(true, job, true);
    await disown({ cache }, job.signal);
    expect(did).toEqual(['drained']);
  });
});
