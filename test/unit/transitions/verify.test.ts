import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../../src/cluster/fingerprint.ts';
import { kernelCopies } from '../../../src/transitions/copies.ts';
import { type OwnersList, type VerificationProgress, verify } from '../../../src/transitions/verify.ts';
import { UDP } from '../../support/flows.ts';
import { bucketOf, flowOf, MemoryOwner, MemoryTable, sorting } from './memory-table.ts';

const HOST = 20;
const OTHER_HOST = 21;
const BUCKETS = new Set([bucketOf(HOST)]);
const live = Array.from({ length: 120 }, (_, port) => flowOf(HOST, 2000 + port));

interface Case {
  readonly table: MemoryTable;
  readonly list: () => Promise<OwnersList>;
  readonly foreign?: (bucket: number) => boolean;
  readonly bound?: number;
  readonly signal?: AbortSignal;
  readonly progressed?: (progress: VerificationProgress) => void;
}

const run = ({
  table,
  list,
  foreign = () => true,
  bound = 5000,
  signal = new AbortController().signal,
  progressed = () => {},
}: Case) => verify(kernelCopies({ table }, sorting, BUCKETS, foreign), list, bound, signal, { progressed });

describe.concurrent('verify', () => {
  it('is done in one round when nothing differs', async () => {
    const table = new MemoryTable(live);
    const owner = new MemoryOwner(() => live);
    expect(await run({ table, list: owner.list })).toEqual({
      synced: true,
      flows: 120,
      missing: 0,
      removed: 0,
      rounds: 1,
    });
    expect(owner.named).toEqual([[]]);
    expect(owner.open).toBe(0);
    expect(table.removed).toEqual([]);
  });

  it('names what is missing to the owner, until it is here', async () => {
    const table = new MemoryTable(live.slice(10));
    const owner = new MemoryOwner(
      () => live,
      (hashes) => table.flows.push(...live.filter((one) => hashes.includes(fingerprint(one)))),
    );
    expect(await run({ table, list: owner.list })).toEqual({
      synced: true,
      flows: 120,
      missing: 0,
      removed: 0,
      rounds: 2,
    });
    expect(owner.named[0]?.toSorted()).toEqual(live.slice(0, 10).map(fingerprint).toSorted());
    expect(owner.open).toBe(0);
  });

  it("counts a flow of this node's own as here, and never as stale", async () => {
    const own = flowOf(HOST, 4000, UDP);
    const another = flowOf(HOST, 4001, UDP);
    const table = new MemoryTable([...live, own, another]);
    // The owner has a copy of the one.
    const owner = new MemoryOwner(() => [...live, own]);
    expect(await run({ table, list: owner.list })).toMatchObject({ synced: true, missing: 0, rounds: 1 });
    expect(owner.named).toEqual([[]]);
    expect(table.removed).toEqual([]);
  });

  it('gives up at its bound on what never comes', async () => {
    const table = new MemoryTable(live.slice(3));
    const owner = new MemoryOwner(() => live);
    const result = await run({ table, list: owner.list, bound: 1500 });
    expect(result).toMatchObject({ synced: false, missing: 3 });
    expect(owner.named.every((hashes) => hashes.length === 3)).toBe(true);
    expect(owner.open).toBe(0);
  });

  it('tells how far it is: listed, found here, and missing before', async () => {
    const table = new MemoryTable(live.slice(10));
    const owner = new MemoryOwner(
      () => live,
      () => table.flows.push(...live.slice(0, 10)),
    );
    const seen: VerificationProgress[] = [];
    await run({ table, list: owner.list, progressed: (progress) => void seen.push(progress) });
    expect(seen[0]).toEqual({ round: 1, listed: 7, flows: undefined, found: 0, missing: undefined });
    const first = seen.filter(({ round }) => round === 1);
    expect(first.at(-1)).toEqual({ round: 1, listed: 120, flows: 120, found: 110, missing: undefined });
    expect(seen[first.length]).toEqual({ round: 2, listed: 7, flows: 120, found: 0, missing: 10 });
    expect(seen.at(-1)).toEqual({ round: 2, listed: 120, flows: 120, found: 120, missing: 10 });
    for (const { listed, found } of seen) {
      expect(found).toBeLessThanOrEqual(listed);
    }
  });

  it('does not wait for flows that are younger than a second', async () => {
    let port = 10_000;
    const table = new MemoryTable(live);
    const owner = new MemoryOwner(() => [...live, flowOf(HOST, ++port)]);
    const result = await run({ table, list: owner.list });
    expect(result).toMatchObject({ synced: true, missing: 1 });
    expect(result.rounds).toBeGreaterThan(3);
  });

  it('removes what two lists of the owner don’t have, and nothing else, before it names what is missing', async () => {
    const stale = [flowOf(HOST, 9000), flowOf(HOST, 9001)];
    const elsewhere = [flowOf(OTHER_HOST, 9000), flowOf(HOST, 9000, UDP)];
    const [first, ...others] = live;
    const table = new MemoryTable([...others, ...stale, ...elsewhere]);
    const removed: number[] = [];
    const owner = new MemoryOwner(
      () => live,
      () => {
        // As the kernel, which refuses a flow whose translated port is taken.
        removed.push(table.removed.length);
        if (first !== undefined && table.removed.length > 0 && !table.flows.includes(first)) {
          table.flows.unshift(first);
        }
      },
    );
    const result = await run({ table, list: owner.list });
    expect(result).toMatchObject({ synced: true, missing: 0, removed: 2, rounds: 3 });
    expect(removed).toEqual([0, 2, 2]);
    expect(table.removed).toEqual(stale.map(({ original }) => original));
    expect(table.flows).toEqual([...live, ...elsewhere]);
  });

  it('leaves a flow alone that the owner’s next list has', async () => {
    const late = flowOf(HOST, 9000);
    const table = new MemoryTable([...live, late]);
    let rounds = 0;
    const owner = new MemoryOwner(() => (++rounds === 1 ? live : [...live, late]));
    expect(await run({ table, list: owner.list })).toMatchObject({ synced: true, removed: 0, rounds: 2 });
    expect(table.removed).toEqual([]);
  });

  it('removes nothing from a bucket that is no longer another’s', async () => {
    const table = new MemoryTable([...live, flowOf(HOST, 9000)]);
    const owner = new MemoryOwner(() => live);
    const result = await run({ table, list: owner.list, foreign: () => false });
    expect(result).toMatchObject({ synced: true, removed: 0 });
    expect(table.removed).toEqual([]);
  });

  it('ends when it is called off, and closes the list', async () => {
    const table = new MemoryTable([...live, flowOf(HOST, 9000)]);
    const job = new AbortController();
    let rounds = 0;
    const owner = new MemoryOwner(() => {
      rounds += 1;
      if (rounds === 2) {
        job.abort();
      }
      return live;
    });
    await expect(run({ table, list: owner.list, signal: job.signal })).rejects.toThrow(/abort/i);
    expect(rounds).toBe(2);
    expect(owner.open).toBe(0);
    expect(table.removed).toEqual([]);
  });

  it('passes on that the owner’s list broke off, and removes nothing for it', async () => {
    const table = new MemoryTable(live);
    let open = 1;
    async function* broken(): AsyncIterable<readonly number[]> {
      yield live.slice(0, 5).map(fingerprint);
      throw new Error('the peer closed the connection');
    }
    const list = async (): Promise<OwnersList> => ({
      hashes: broken(),
      missing: async () => 0,
      close: () => {
        open -= 1;
      },
    });
    await expect(run({ table, list })).rejects.toThrow('the peer closed the connection');
    expect(open).toBe(0);
    expect(table.removed).toEqual([]);
  });

  it('holds an owner with nothing for whole', async () => {
    const table = new MemoryTable([]);
    const owner = new MemoryOwner(() => []);
    expect(await run({ table, list: owner.list })).toMatchObject({ synced: true, flows: 0, rounds: 1 });
  });
});
