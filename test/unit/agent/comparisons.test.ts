import { describe, expect, it, vi } from 'vitest';
import { Comparisons, type ComparisonsHost } from '../../../src/agent/comparisons.ts';
import type { OwnersList, Verification } from '../../../src/transitions/verify.ts';

const PEER = { name: 'two', groups: ['two_one'], buckets: new Set([1]) };
const OTHER = { name: 'three', groups: ['three_one'], buckets: new Set([2]) };
const UNVERIFIABLE = 400;

const listOf = (hashes: readonly number[]): OwnersList => ({
  hashes: (async function* () {
    yield hashes;
  })(),
  missing: async () => 0,
  close: () => {},
});

const refused = (): Promise<OwnersList> => Promise.reject(new Error('connection refused'));

/** Connects, and is never answered. */
const unanswered: ComparisonsHost['listOf'] = (_, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

const setUp = (fields: Partial<ComparisonsHost> = {}, verify = 60_000) => {
  const results: Verification[] = [];
  const reasons: string[] = [];
  let job = new AbortController();
  const comparisons = new Comparisons(
    {
      owners: () => [PEER],
      listOf: async () => listOf([]),
      comparing: () => {},
      verified: (_, result) => void results.push(result),
      unverifiable: (_, reason) => void reasons.push(reason),
      fit: () => true,
      refusing: () => false,
      reach: () => {},
      done: () => {},
      copiesOf: () => ({
        patience: 0,
        dump: async function* () {},
        remove: async () => ({ removed: 0, emptied: false }),
      }),
      meanwhile: async () => undefined,
      interrupt: () => job.abort(),
      ...fields,
    },
    { verify, verifyBound: 5000, unverifiable: UNVERIFIABLE },
  );
  /** As the job loop: one attempt, which may fail or be interrupted. */
  const attempt = async (): Promise<void> => {
    job = new AbortController();
    await comparisons.verify(PEER, job.signal).catch(() => {});
  };
  return { comparisons, attempt, results, reasons, abort: () => job.abort() };
};

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('Comparisons', () => {
  it('says that a peer can’t be compared with, but not at the first failure', async () => {
    const { attempt, reasons } = setUp({ listOf: refused });
    await attempt();
    expect(reasons).toEqual([]);
    await pause(UNVERIFIABLE);
    await attempt();
    expect(reasons).toEqual(['connection refused']);
  });

  it('forgets failures once one has succeeded', async () => {
    let list = refused;
    const { attempt, reasons, results } = setUp({ listOf: () => list() });
    await attempt();
    list = async () => listOf([]);
    await attempt();
    expect(results).toMatchObject([{ synced: true }]);
    list = refused;
    await pause(UNVERIFIABLE);
    await attempt();
    expect(reasons).toEqual([]);
  });

  it('says so of one that doesn’t answer, while it waits', async () => {
    const { attempt, reasons, abort } = setUp({ listOf: unanswered });
    const attempted = attempt();
    await vi.waitFor(() => expect(reasons[0]).toBe('it sends no list of its flows'), 3000);
    abort();
    await attempted;
  });

  it('doesn’t count the failures that the death of a peer brings', async () => {
    let owners = [PEER];
    const { comparisons, attempt, reasons } = setUp({ owners: () => owners, listOf: unanswered });
    const attempted = attempt();
    owners = [];
    await attempted;
    await pause(UNVERIFIABLE);
    expect(comparisons.due(owners, performance.now())).toBeUndefined();
    expect(reasons).toEqual([]);
  });

  it('forgets failures of a peer that has owned nothing for a while', async () => {
    const { comparisons, attempt, reasons } = setUp({ listOf: refused });
    await attempt();
    comparisons.due([OTHER], performance.now());
    await pause(UNVERIFIABLE);
    await attempt();
    expect(reasons).toEqual([]);
  });

  it('breaks off when conntrackd is no longer fit: the result would say nothing', async () => {
    let fit = true;
    const { attempt, results } = setUp({ fit: () => fit, listOf: async () => listOf([7]) });
    const attempted = attempt();
    await pause(300);
    fit = false;
    await attempted;
    expect(results).toEqual([]);
  });

  it('waits less for flows that the kernel refuses', async () => {
    const { attempt, results } = setUp({ refusing: () => true, listOf: async () => listOf([7]) });
    const began = performance.now();
    await attempt();
    expect(results).toMatchObject([{ synced: false, missing: 1 }]);
    expect(performance.now() - began).toBeLessThan(4500);
  });

  it('begins early enough after one that took long', async () => {
    const verify = 1000;
    const { comparisons, attempt } = setUp({ listOf: async () => pause(900).then(() => listOf([])) }, verify);
    await attempt();
    const ended = performance.now();
    expect(comparisons.due([PEER], ended + 500)).toBeUndefined();
    expect(comparisons.due([PEER], ended + 700)).toEqual(PEER);
  });
});
