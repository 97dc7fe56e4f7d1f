import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../../src/cluster/fingerprint.ts';
import type { Flow } from '../../../src/cluster/flow.ts';
import { recall } from '../../../src/transitions/recall.ts';
import { bucketOf, flowOf, MemoryTable, sorting } from './memory-table.ts';

const never = new AbortController().signal;
const FLOWS = Array.from({ length: 30 }, (_, index) => flowOf(20, 2000 + index));
const owns = (bucket: number): boolean => bucket === bucketOf(20);

/** A replica that sends what it is asked for, as long as it `sends`. */
const replica = (table: MemoryTable, copies: readonly Flow[], sends = () => true) => {
  const asked: number[] = [];
  let closed = 0;
  const list = async () => ({
    hashes: (async function* () {
      yield copies.map(fingerprint);
    })(),
    missing: async (hashes: Iterable<number>) => {
      const wanted = new Set(hashes);
      asked.push(wanted.size);
      const sent = sends() ? copies.filter((flow) => wanted.has(fingerprint(flow))) : [];
      table.flows.push(...sent);
      return sent.length;
    },
    close: () => {
      closed += 1;
    },
  });
  return { list, asked, closed: () => closed };
};

describe('recall', () => {
  it('gets back what is missing, and asks until nothing is, twice', async () => {
    const table = new MemoryTable(FLOWS.slice(0, 10));
    const { list, asked, closed } = replica(table, FLOWS);
    expect(await recall({ table }, sorting, owns, list, 5000, never)).toEqual({ lost: 20, returned: 20 });
    expect(asked).toEqual([20, 0, 0]);
    expect(closed()).toBe(3);
    expect(table.flows).toHaveLength(30);
  });

  it('finds what is deleted meanwhile', async () => {
    const table = new MemoryTable(FLOWS);
    const { list, asked } = replica(table, FLOWS, () => {
      if (asked.length === 1) table.flows.splice(0, 7);
      return true;
    });
    expect(await recall({ table }, sorting, owns, list, 5000, never)).toEqual({ lost: 7, returned: 7 });
  });

  it('ends while flows end of themselves all the time, counts none of these, and has none made anew', async () => {
    const table = new MemoryTable(FLOWS);
    // Ends after the replica has listed it, which hears of it a moment later.
    const copies = [...FLOWS];
    const asked: number[] = [];
    const list = async () => {
      const hashes = [...copies].map(fingerprint);
      table.flows.shift();
      return {
        hashes: (async function* () {
          yield hashes;
        })(),
        missing: async (wanted: Iterable<number>) => {
          copies.shift();
          return asked.push([...wanted].length);
        },
        close: () => {},
      };
    };
    const began = performance.now();
    expect(await recall({ table }, sorting, owns, list, 5000, never)).toEqual({ lost: 0, returned: 0 });
    expect(performance.now() - began).toBeLessThan(2500);
    expect(asked).toEqual([1, 0, 0]);
  });

  it('goes on while somebody goes on deleting, though each round gives back what the one before has lacked', async () => {
    const table = new MemoryTable(FLOWS);
    let rounds = 0;
    const { list } = replica(table, FLOWS);
    const deleting = async () => {
      rounds += 1;
      if (rounds <= 4) table.flows.splice(0, 5);
      return list();
    };
    expect(await recall({ table }, sorting, owns, deleting, 5000, never)).toEqual({ lost: 20, returned: 20 });
    expect(table.flows).toHaveLength(30);
  });

  it('does what else is due between two rounds', async () => {
    const table = new MemoryTable(FLOWS);
    const { list, asked } = replica(table, FLOWS);
    const seen: number[] = [];
    const meanwhile = async () => seen.push(asked.length);
    await recall({ table }, sorting, owns, list, 5000, never, { meanwhile });
    expect(seen).toEqual([1]);
  });

  it('gives up after its bound, and says what is still missing', async () => {
    const table = new MemoryTable([]);
    const { list } = replica(table, FLOWS, () => false);
    expect(await recall({ table }, sorting, owns, list, 300, never)).toEqual({ lost: 30, returned: 0 });
  });

  it('counts all that was missing if there was but one round', async () => {
    const { list } = replica(new MemoryTable([]), FLOWS, () => false);
    const table = new MemoryTable([]);
    expect(await recall({ table }, sorting, owns, list, 0, never)).toEqual({ lost: 30, returned: 0 });
  });

  it('counts an entry of a bucket that it does not own as nothing', async () => {
    const table = new MemoryTable(FLOWS);
    const { list, asked } = replica(table, FLOWS);
    await recall({ table }, sorting, () => false, list, 0, never);
    expect(asked).toEqual([30]);
  });

  it('stops when it is cut off', async () => {
    const table = new MemoryTable([]);
    const cut = new AbortController();
    const { list, asked, closed } = replica(table, FLOWS, () => false);
    const recalling = recall({ table }, sorting, owns, list, 60_000, cut.signal);
    setTimeout(() => cut.abort(), 50);
    await expect(recalling).rejects.toThrow(/abort/);
    expect(asked).toEqual([30]);
    expect(closed()).toBe(1);
  });
});
