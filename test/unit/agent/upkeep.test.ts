import { afterEach, describe, expect, it, vi } from 'vitest';
import { Upkeep } from '../../../src/agent/upkeep.ts';
import type { UpkeepHost } from '../../../src/agent/upkeep-host.ts';
import { addressWord, parseNetwork } from '../../../src/cluster/address.ts';
import type { Flow } from '../../../src/cluster/flow.ts';
import { bucketOf as bucketOfAddress } from '../../../src/cluster/hash.ts';
import type { Edges } from '../../../src/transitions/edges.ts';

/** The order of the moves; that they work is shown with real conntrackds in the lab. */

const SEED = 1;
const BUCKETS = 4;

const flow = (last: number): Flow => {
  const [src, dst] = [addressWord(`192.168.0.${last}`), addressWord('192.168.1.2')];
  return {
    original: { protocol: 6, src, dst, sport: 1000, dport: 80 },
    reply: { protocol: 6, src: dst, dst: src, sport: 80, dport: 1000 },
    status: 0,
    timeout: 1,
  };
};

const FLOWS = Array.from({ length: 20 }, (_, index) => flow(index + 1));
const bucketOf = (each: Flow): number => bucketOfAddress(each.original.src, SEED, BUCKETS);

const TWO = { name: 'two', groups: ['two_one'], buckets: new Set([1]) };

const THREE = { name: 'three', groups: ['three_one'], buckets: new Set([2]) };

/** It always has a flow that never comes here. */
const neverWhole: UpkeepHost['listOf'] = async () => ({
  hashes: (async function* () {
    yield [1];
  })(),
  missing: async () => 0,
  close: () => {},
});

const running: Upkeep[] = [];

const upkeep = (
  owned: Set<number>,
  fields: {
    identity?: () => string | undefined;
    fresh?: boolean;
    refresh?: number;
    host?: Partial<UpkeepHost>;
  } = {},
) => {
  const calls: string[] = [];
  const touched: number[] = [];
  const edges: Edges = {
    owned: { read: async () => owned, change: async () => {}, renew: async () => {} },
    table: {
      dump: async function* () {
        calls.push('dump');
        yield FLOWS;
      },
      touch: async (tuples) => {
        if (tuples.length > 0) {
          calls.push('touch');
        }
        touched.push(...tuples.map(({ src }) => bucketOfAddress(src, SEED, BUCKETS)));
        return { done: tuples.length, missing: 0 };
      },
      remove: async (tuples) => {
        calls.push('remove');
        return { done: tuples.length, missing: 0 };
      },
    },
    cache: {
      identity: async () => (fields.identity ?? (() => 'one'))(),
      drained: async () => {
        calls.push('drained');
        return true;
      },
      flush: async () => {
        calls.push('flush');
      },
      bulk: async () => {
        calls.push('bulk');
      },
    },
  };
  const host: UpkeepHost = {
    owns: (bucket) => owned.has(bucket),
    foreign: (bucket) => !owned.has(bucket),
    owners: () => [],
    listOf: () => Promise.reject(new Error('nobody is compared here')),
    askBulk: () => {},
    holders: () => [],
    reachable: () => true,
    copiesAt: () => Promise.reject(new Error('nobody is asked here')),
    recalled: () => {},
    lookForFlush: async () => {},
    witnesses: { choose: () => ({ offer: () => {}, end: () => {} }) },
    emptied: () => {},
    verified: () => {},
    unverifiable: () => {},
    fit: () => true,
    refusing: () => false,
    comparing: () => {},
    interrupted: () => {
      calls.push('interrupted');
    },
    reach: () => {},
    done: () => {},
    joined: () => {
      calls.push('joined');
    },
    counted: () => {},
    note: () => {},
    ...fields.host,
  };
  const sorting = () => ({
    hashing: { seed: SEED, buckets: BUCKETS, legs: [[parseNetwork('192.168.0.0/24')]], published: [] },
    replicated: () => true,
  });
  const times = {
    refresh: () => fields.refresh ?? 60_000,
    verify: 60_000,
    verifyBound: 1000,
    unverifiable: 10_000,
  };
  const made = new Upkeep(edges, sorting, host, times, fields.fresh ?? false);
  running.push(made);
  made.start();
  return { upkeep: made, calls, touched, edges };
};

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

describe('Upkeep', () => {
  it('disowns before it adopts, and only then calls the cache exact', async () => {
    const { upkeep: made, calls } = upkeep(new Set([0, 1]));
    expect(made.exact).toBe(false);
    await vi.waitFor(() => expect(made.exact).toBe(true));
    expect(calls.filter((call) => ['drained', 'flush', 'touch'].includes(call))).toEqual([
      'drained',
      'flush',
      'touch',
    ]);
  });

  it('touches no flow of a bucket that it does not own', async () => {
    const { upkeep: made, touched } = upkeep(new Set([2]));
    await vi.waitFor(() => expect(made.exact).toBe(true));
    expect(touched.length).toBe(FLOWS.filter((each) => bucketOf(each) === 2).length);
    expect(new Set(touched)).toEqual(new Set([2]));
  });

  it('sends no bulk while the cache may hold what it should not', async () => {
    const { upkeep: made, calls } = upkeep(new Set([0]));
    expect(await made.bulk()).toBe(false);
    await vi.waitFor(() => expect(made.exact).toBe(true));
    expect(await made.bulk()).toBe(true);
    made.gaveUp();
    expect(await made.bulk()).toBe(false);
    expect(calls.filter((call) => call === 'bulk')).toHaveLength(1);
  });

  it('sends no bulk just after somebody has had its flows deleted', async () => {
    let ordered = (): void => {};
    const { upkeep: made, calls } = upkeep(new Set([0]), {
      host: { holders: () => [], lookForFlush: async () => ordered() },
    });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    ordered = () => made.recall(true);
    expect(await made.bulk()).toBe(false);
    expect(calls).not.toContain('bulk');
  });

  it('disowns again when conntrackd was started anew', async () => {
    let identity: string | undefined = 'one';
    const { upkeep: made, calls } = upkeep(new Set([0]), { identity: () => identity });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    identity = 'two';
    await vi.waitFor(() => expect(calls.filter((call) => call === 'flush')).toHaveLength(2));
    await vi.waitFor(() => expect(made.exact).toBe(true));
    expect(calls.filter((call) => call === 'interrupted')).toHaveLength(2);
  });

  it('is not exact without a conntrackd', async () => {
    let identity: string | undefined = 'one';
    const { upkeep: made } = upkeep(new Set([0]), { identity: () => identity });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    identity = undefined;
    await vi.waitFor(() => expect(made.exact).toBe(false));
  });

  it('has joined when it serves for the first time, and says so once', async () => {
    const { upkeep: made, calls } = upkeep(new Set([0]), { fresh: true });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    expect(made.idle).toBe(false);
    made.tookOver();
    made.tookOver();
    await vi.waitFor(() => expect(made.idle).toBe(true));
    expect(calls.filter((call) => call === 'joined')).toHaveLength(1);
  });

  it('refreshes also while a comparison comes to no end', async () => {
    const results: boolean[] = [];
    const verified: UpkeepHost['verified'] = (_, { synced }) => void results.push(synced);
    const host = { owners: () => [TWO], listOf: neverWhole, verified };
    const { calls } = upkeep(new Set([0]), { refresh: 100, host });
    const touches = () => calls.filter((call) => call === 'touch').length;
    await vi.waitFor(() => expect(touches()).toBeGreaterThan(2), 900);
    expect(results).toEqual([]);
  });

  it('tries again after the bound: not synced, and still refreshing', async () => {
    const results: boolean[] = [];
    const progress: string[] = [];
    const { upkeep: made, calls } = upkeep(new Set([0]), {
      refresh: 100,
      host: {
        owners: () => [TWO],
        listOf: neverWhole,
        verified: (peer, { synced, missing }) => {
          expect(missing).toBe(1);
          results.push(synced);
          made.verifySoon(peer.name);
        },
        comparing: (_, at) => void progress.push(at === undefined ? 'ended' : `round ${at.round}`),
      },
    });
    const touches = () => calls.filter((call) => call === 'touch').length;
    await vi.waitFor(() => expect(results).toEqual([false]), 10_000);
    const before = touches();
    await vi.waitFor(() => expect(results).toEqual([false, false]), 10_000);
    expect(touches() - before).toBeGreaterThan(2);
    expect(progress.filter((text) => text === 'ended')).toHaveLength(2);
    expect(progress[progress.indexOf('ended') + 1]).toBe('round 1');
  });

  it('touches nothing while it is held, and goes on afterwards', async () => {
    const { upkeep: made, calls } = upkeep(new Set([0]));
    await vi.waitFor(() => expect(made.exact).toBe(true));
    await made.hold(async () => {
      const before = calls.filter((call) => call === 'touch').length;
      made.tookOver();
      // Longer than it looks for work.
      await new Promise((resolve) => setTimeout(resolve, 250));
      expect(calls.filter((call) => call === 'touch').length).toBe(before);
    });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    expect(calls.filter((call) => call === 'touch').length).toBe(2);
  });

  it('gives a comparison up when the peer falls silent, and goes on with another', async () => {
    let owners = [TWO, THREE];
    const asked: string[] = [];
    upkeep(new Set([0]), {
      host: {
        owners: () => owners,
        listOf: (peer, signal) => {
          asked.push(peer.name);
          return peer.name === 'three'
            ? neverWhole(peer, signal)
            : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
      },
    });
    await vi.waitFor(() => expect(asked).toEqual(['two']));
    owners = [THREE];
    await vi.waitFor(() => expect(asked).toContain('three'));
  });

  it('compares with one after the other, though the first is always due again', async () => {
    const compared: string[] = [];
    const { upkeep: made } = upkeep(new Set([0]), {
      host: {
        owners: () => [TWO, THREE],
        listOf: async () => {
          made.verifySoon();
          return { hashes: (async function* () {})(), missing: async () => 0, close: () => {} };
        },
        verified: ({ name }) => void compared.push(name),
      },
    });
    await vi.waitFor(() => expect(compared.slice(0, 2)).toEqual(['two', 'three']), 5000);
  });

  it('asks the replicas for what was deleted before anything else, then adopts; nobody compares with it meanwhile', async () => {
    const recalled: unknown[] = [];
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { upkeep: made, calls } = upkeep(new Set([0]), {
      host: {
        holders: () => ['two', 'three'],
        copiesAt: async (peer) => {
          calls.push(`copies at ${peer}`);
          await answered;
          if (peer === 'two') throw new Error('two does not answer');
          return { hashes: (async function* () {})(), missing: async () => 0, close: () => {} };
        },
        recalled: (result) => void recalled.push(result),
      },
    });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    await made.requireIntact();
    calls.splice(0);
    made.recall(true);
    await vi.waitFor(() => expect(calls).toContain('copies at two'));
    await expect(made.requireIntact()).rejects.toThrow(/nobody compares with them/);
    answer();
    await vi.waitFor(() => expect(made.exact).toBe(true));
    expect(recalled).toEqual([
      expect.objectContaining({ from: ['three'], lost: 0, returned: 0, fresh: true }),
    ]);
    expect(calls.indexOf('copies at three')).toBeLessThan(calls.indexOf('touch'));
    await made.requireIntact();
  });

  it('refreshes also while replicas are asked for what was deleted', async () => {
    const { upkeep: made, calls } = upkeep(new Set([0]), {
      refresh: 100,
      host: {
        holders: () => ['two'],
        // It never gives back what it lists.
        copiesAt: async () => ({
          hashes: (async function* () {
            yield [1];
          })(),
          missing: async () => 0,
          close: () => {},
        }),
      },
    });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    made.recall(true);
    calls.splice(0);
    await vi.waitFor(() => expect(calls.filter((call) => call === 'touch').length).toBeGreaterThan(2), 2000);
    expect(made.recalling).toBe(true);
  });

  it('is compared with again, though conntrackd has gone while replicas were to be asked', async () => {
    let identity: string | undefined = 'one';
    const recalled: unknown[] = [];
    const { upkeep: made } = upkeep(new Set([0]), {
      identity: () => identity,
      host: { recalled: (result) => void recalled.push(result) },
    });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    identity = undefined;
    made.recall(true);
    await expect(made.requireIntact()).rejects.toThrow(/nobody compares with them/);
    await vi.waitFor(() => expect(recalled).toHaveLength(1), 8000);
    await made.requireIntact();
  });

  it('goes on without an answer, and says after a while that nobody gives anything back', async () => {
    const recalled: unknown[] = [];
    const { upkeep: made } = upkeep(new Set([0]), {
      host: { recalled: (result) => void recalled.push(result) },
    });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    made.recall(true);
    await vi.waitFor(() => expect(made.exact).toBe(true));
    expect(made.recalling).toBe(true);
    await vi.waitFor(() => expect(recalled).toEqual([expect.objectContaining({ from: [] })]), 8000);
    expect(made.recalling).toBe(false);
  });

  it('empties the cache again after it has touched copies for their owner', async () => {
    const { upkeep: made, calls } = upkeep(new Set([0]));
    await vi.waitFor(() => expect(made.exact).toBe(true));
    calls.splice(0);
    await made.lend(async () => {
      calls.push('lent');
      expect(made.exact).toBe(false);
      // Longer than it looks for work.
      await new Promise((resolve) => setTimeout(resolve, 250));
      expect(calls).toEqual(['lent']);
    });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    expect(calls.filter((call) => ['lent', 'flush', 'touch'].includes(call))).toEqual([
      'lent',
      'flush',
      'touch',
    ]);
  });

  it('is not exact while it adopts, and takes the cache for nobody else’s doing; but it may be sent', async () => {
    const {
      upkeep: made,
      calls,
      edges,
      touched,
    } = upkeep(new Set([0]), {
      host: { emptied: () => expect.unreachable() },
    });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    made.cacheHolds(touched.length);
    let go = (): void => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const dump = vi.spyOn(edges.table, 'dump').mockImplementation(async function* () {
      await held;
      yield FLOWS;
    });
    calls.splice(0);
    made.gaveUp();
    await vi.waitFor(() => expect(dump).toHaveBeenCalled());
    expect(made.exact).toBe(false);
    for (const flows of [0, 0, 0]) made.cacheHolds(flows);
    expect(await made.bulk()).toBe(true);
    go();
    await vi.waitFor(() => expect(made.exact).toBe(true));
    // conntrackd reads of what was touched a moment later.
    for (const flows of [0, 0]) made.cacheHolds(flows);
    expect(made.exact).toBe(true);
    expect(calls.filter((call) => call === 'touch')).toHaveLength(1);
  });

  it('fills a cache that somebody has emptied', async () => {
    const emptied: unknown[] = [];
    const { upkeep: made } = upkeep(new Set([0]), {
      host: { emptied: (held, flows) => void emptied.push([held, flows]) },
    });
    await vi.waitFor(() => expect(made.exact).toBe(true));
    const flows = FLOWS.filter((each) => bucketOf(each) === 0).length;
    for (const held of [flows, 0, 0]) made.cacheHolds(held);
    await vi.waitFor(() => expect(emptied).toEqual([[0, flows]]));
  });
});
