import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Recalled, Recalls, type RecallsHost } from '../../../src/agent/recalls.ts';
import { fingerprint } from '../../../src/cluster/fingerprint.ts';
import type { Flow } from '../../../src/cluster/flow.ts';
import { bucketOf, flowOf, MemoryTable, sorting } from '../transitions/memory-table.ts';

const FLOWS = Array.from({ length: 30 }, (_, index) => flowOf(20, 2000 + index));
const never = new AbortController().signal;

const rejects = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** Copies that a peer lists, and sends when they are asked for, once `sending` has let it. */
const copies = (
  table: MemoryTable,
  held: readonly Flow[],
  given: readonly Flow[] = held,
  sending: () => Promise<unknown> = async () => {},
) => ({
  hashes: (async function* () {
    yield held.map(fingerprint);
  })(),
  missing: async (hashes: Iterable<number>) => {
    const wanted = new Set(hashes);
    const sent = given.filter((flow) => wanted.has(fingerprint(flow)));
    table.flows.push(...sent);
    await sending();
    return sent.length;
  },
  close: () => {},
});

const setUp = (table: MemoryTable, host: Partial<RecallsHost>) => {
  const results: Recalled[] = [];
  const made = new Recalls(
    { table },
    () => sorting,
    {
      owns: (bucket) => bucket === bucketOf(20),
      holders: () => ['fw2'],
      reachable: () => true,
      copiesAt: async () => copies(table, FLOWS),
      recalled: (result) => void results.push(result),
      ...host,
    },
    async () => {},
  );
  made.soon(true);
  return { recalls: made, results };
};

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 20 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Recalls', () => {
  it('keeps what it has found when it is cut off, and by whom', async () => {
    const table = new MemoryTable([]);
    const cut = new AbortController();
    const { recalls, results } = setUp(table, {
      copiesAt: async (_, signal) =>
        copies(table, FLOWS, FLOWS, async () => {
          if (!cut.signal.aborted) {
            cut.abort();
            signal.throwIfAborted();
          }
        }),
    });
    await expect(recalls.work(cut.signal)).rejects.toThrow(/abort/);
    expect(recalls.due).toBe(true);
    expect(await recalls.work(never)).toBe(true);
    expect(results).toEqual([expect.objectContaining({ from: ['fw2'], lost: 30, returned: 30 })]);
  });

  it('counts once what two peers hold, though the first can’t give it back', async () => {
    const table = new MemoryTable([]);
    const { recalls, results } = setUp(table, {
      holders: () => ['fw2', 'fw3'],
      copiesAt: async (peer) => copies(table, FLOWS, peer === 'fw2' ? FLOWS.slice(0, 10) : FLOWS),
    });
    const working = recalls.work(never);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await working).toBe(true);
    expect(results).toEqual([expect.objectContaining({ from: ['fw2', 'fw3'], lost: 30, returned: 30 })]);
  });

  it('leaves a peer that can’t be reached any more, and asks the next', async () => {
    const table = new MemoryTable([]);
    const reached = new Set(['fw2', 'fw3']);
    const { recalls, results } = setUp(table, {
      holders: () => ['fw2', 'fw3'],
      reachable: (peer) => reached.has(peer),
      copiesAt: async (peer, signal) => (peer === 'fw2' ? rejects(signal) : copies(table, FLOWS)),
    });
    const working = recalls.work(never);
    reached.delete('fw2');
    await vi.waitFor(() => expect(results).toHaveLength(1), 4000);
    expect(await working).toBe(true);
    expect(results).toEqual([expect.objectContaining({ from: ['fw3'], lost: 30, returned: 30 })]);
  });

  it('leaves a peer that can be reached, but says nothing', async () => {
    const table = new MemoryTable([]);
    const { recalls, results } = setUp(table, { copiesAt: (_, signal) => rejects(signal) });
    const working = recalls.work(never);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await Promise.race([working, 'none'])).toBe(true);
    expect(results).toEqual([expect.objectContaining({ from: [], lost: 0 })]);
  });

  it('ends after a while without a conntrackd', async () => {
    const { recalls, results } = setUp(new MemoryTable([]), {});
    recalls.wait();
    await vi.advanceTimersByTimeAsync(4000);
    recalls.wait();
    expect(recalls.due).toBe(true);
    await vi.advanceTimersByTimeAsync(1500);
    recalls.wait();
    expect(recalls.due).toBe(false);
    expect(results).toEqual([expect.objectContaining({ from: [], lost: 0, fresh: true })]);
  });
});
