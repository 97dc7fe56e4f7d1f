import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../../src/cluster/fingerprint.ts';
import { kernelCopies } from '../../../src/transitions/copies.ts';
import { verify } from '../../../src/transitions/verify.ts';
import { bucketOf, flowOf, MemoryOwner, MemoryTable, sorting } from './memory-table.ts';

const HOST = 20;
const PATIENCE = 1200;
const BOUND = 20_000;
const live = Array.from({ length: 60 }, (_, port) => flowOf(HOST, 2000 + port));

/** A comparison of `table` with the owner of `live`, and how long it took. */
const compare = async (table: MemoryTable, owner: MemoryOwner) => {
  const began = performance.now();
  const copies = kernelCopies({ table }, sorting, new Set([bucketOf(HOST)]), () => true);
  const result = await verify(copies, owner.list, BOUND, new AbortController().signal, {
    patience: () => PATIENCE,
  });
  return { ...result, took: performance.now() - began };
};

describe.concurrent('verify, of what is late', () => {
  it('ends long before the bound when nothing comes that is sent again', async () => {
    const table = new MemoryTable(live.slice(3));
    const owner = new MemoryOwner(() => live);
    const result = await compare(table, owner);
    expect(result).toMatchObject({ synced: false, flows: 60, missing: 3 });
    expect(result.took).toBeGreaterThan(PATIENCE);
    expect(result.took).toBeLessThan(BOUND / 2);
    expect(owner.named.length).toBeGreaterThan(3);
  });

  it('goes on while fewer and fewer are missing, however slowly they come', async () => {
    const table = new MemoryTable([]);
    const owner = new MemoryOwner(
      () => live,
      (hashes) => table.flows.push(...live.filter((flow) => hashes.includes(fingerprint(flow))).slice(0, 3)),
    );
    const result = await compare(table, owner);
    expect(result).toMatchObject({ synced: true, missing: 0 });
    expect(result.took).toBeGreaterThan(2 * PATIENCE);
  });

  it('does not mistake flows for late that come and go, each of them missing for a moment', async () => {
    let port = 10_000;
    let rounds = 0;
    const table = new MemoryTable(live.slice(1));
    const owner = new MemoryOwner(() => {
      rounds += 1;
      // The first one comes late, so that the comparison goes on; the others are new each time.
      if (rounds === 8) table.flows.push(...live.slice(0, 1));
      return [...live, flowOf(HOST, ++port), flowOf(HOST, ++port)];
    });
    expect(await compare(table, owner)).toMatchObject({ synced: true });
  });
});
