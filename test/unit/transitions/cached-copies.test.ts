import { describe, expect, it } from 'vitest';
import { asOptional, originalFingerprint } from '../../../src/cluster/fingerprint.ts';
import type { Flow } from '../../../src/cluster/flow.ts';
import { cachedCopies } from '../../../src/transitions/copies.ts';
import { verify } from '../../../src/transitions/verify.ts';
import { flowOf } from './memory-table.ts';

const HOST = 20;
const live = Array.from({ length: 20 }, (_, port) => flowOf(HOST, 2000 + port));
const optional = flowOf(HOST, 5000);

/** An external cache, and an owner that sends what it is asked for, a polluted cache of its own included. */
const setUp = (cache: readonly Flow[], polluted: (asked: number) => readonly Flow[] = () => []) => {
  let cached = [...cache];
  let asked = 0;
  let emptied = 0;
  const copies = cachedCopies(
    {
      commit: () => Promise.reject(new Error('nothing is committed here')),
      flush: async () => {
        emptied += 1;
        cached = [];
      },
      count: async () => cached.length,
      dump: async function* () {
        yield cached.map(({ original }) => original);
      },
      sent: async () => true,
    },
    () => {
      asked += 1;
      cached.push(...live, ...polluted(asked));
    },
  );
  const list = async () => ({
    hashes: hashes(),
    missing: async (hashes: Iterable<number>) => {
      const named = [...hashes];
      cached.push(...live.filter((flow) => named.includes(originalFingerprint(flow))));
      return named.length;
    },
    close: () => {},
  });
  async function* hashes(): AsyncIterable<readonly number[]> {
    yield [...live.map(originalFingerprint), asOptional(originalFingerprint(optional))];
  }
  const run = () => verify(copies, list, 5000, new AbortController().signal);
  return { run, cached: () => cached, emptied: () => emptied };
};

describe.concurrent('verify with the external cache', () => {
  it('finds a whole one whole, with what the owner does not replicate', async () => {
    const { run, emptied } = setUp([...live, optional]);
    expect(await run()).toEqual({ synced: true, flows: 20, missing: 0, removed: 0, rounds: 1 });
    expect(emptied()).toBe(0);
  });

  it('has what is missing sent', async () => {
    const { run, cached } = setUp(live.slice(5));
    expect(await run()).toMatchObject({ synced: true, missing: 0, rounds: 2 });
    expect(cached()).toHaveLength(20);
  });

  it('empties one with what the owner does not have, and has it filled anew', async () => {
    const { run, cached, emptied } = setUp([...live, flowOf(HOST, 9000)]);
    const result = await run();
    expect(result).toMatchObject({ synced: true, missing: 0, removed: 1 });
    expect(cached()).toEqual(live);
    expect(emptied()).toBe(1);
  });

  it('does so again if what comes back is no better, and then lets it be', async () => {
    const stale = flowOf(HOST, 9000);
    const healed = setUp([...live, stale], (asked) => (asked === 1 ? [stale] : []));
    expect(await healed.run()).toMatchObject({ synced: true });
    expect(healed.cached()).toEqual(live);
    expect(healed.emptied()).toBe(2);
    const hopeless = setUp([...live, stale], () => [stale]);
    expect(await hopeless.run()).toMatchObject({ synced: true });
    expect(hopeless.emptied()).toBe(2);
  });
});
