import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { servedFlows } from '../../../src/agent/served-flows.ts';
import { fingerprint } from '../../../src/cluster/fingerprint.ts';
import { HashTable } from '../../../src/cluster/hash-table.ts';
import { UDP } from '../../support/flows.ts';
import { bucketOf, flowOf, MemoryTable, sorting } from '../transitions/memory-table.ts';

const [MINE, OTHER, UNASKED] = [20, 21, 22].map((host) => ({ host, bucket: bucketOf(host) }));
const flowsOf = (one: { readonly host: number } | undefined, count = 300) =>
  Array.from({ length: count }, (_, index) => flowOf(one?.host ?? 0, 2000 + index));
const ASKED = new Set([MINE?.bucket ?? -1, OTHER?.bucket ?? -1]);

const setUp = () => {
  const mine = flowsOf(MINE);
  const table = new MemoryTable([...mine, ...flowsOf(OTHER), ...flowsOf(UNASKED), flowOf(20, 9, UDP)]);
  const owned = new Set([MINE?.bucket, UNASKED?.bucket]);
  const asked: number[] = [];
  const source = servedFlows(
    { table },
    () => sorting,
    (bucket) => owned.has(bucket),
    (hashes) => void asked.push(...hashes.keys()),
  );
  return { mine, table, owned, source, asked };
};

describe('servedFlows', () => {
  it('lists what it owns of the buckets that are asked for, and is replicated', async () => {
    const { mine, source } = setUp();
    const listed: number[] = [];
    for await (const hashes of source.hashes(ASKED)) {
      listed.push(...hashes);
    }
    expect(listed).toEqual(mine.map(fingerprint));
  });

  it('reads the table to its end however slowly the list is taken', async () => {
    const { mine, table, source } = setUp();
    let pieces = 0;
    table.beforePiece = () => {
      pieces += 1;
    };
    const listed: number[] = [];
    for await (const hashes of source.hashes(ASKED)) {
      for (let turn = 0; turn < 1000 && pieces < table.flows.length / 50; turn += 1) {
        await nextTurn();
      }
      expect(pieces).toBeGreaterThanOrEqual(table.flows.length / 50);
      listed.push(...hashes);
    }
    expect(listed).toHaveLength(mine.length);
  });

  it('breaks off if flows were deleted meanwhile: what is not listed the replica would delete', async () => {
    const { table } = setUp();
    const gone = new Error('flows were deleted');
    const source = servedFlows(
      { table },
      () => sorting,
      () => true,
      () => {},
      () => Promise.reject(gone),
    );
    const reading = async () => {
      for await (const _ of source.hashes(ASKED)) {
        // They are read to the end.
      }
    };
    await expect(reading()).rejects.toBe(gone);
  });

  it('touches what is missing, and nothing of a bucket that it gives up meanwhile', async () => {
    const { mine, table, owned, source, asked } = setUp();
    const named = mine.slice(0, 250).map(fingerprint);
    table.afterTouch = () => {
      owned.clear();
    };
    expect(await source.touch(ASKED, HashTable.of([...named, 17]))).toBe(100);
    expect(table.touched).toEqual(mine.slice(0, 100).map(({ original }) => original));
    expect(asked.toSorted()).toEqual([...named, 17].toSorted());
  });
});
