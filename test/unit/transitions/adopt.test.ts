import { describe, expect, it } from 'vitest';
import { parseNetwork } from '../../../src/cluster/address.ts';
import { bucketOfFlow } from '../../../src/cluster/flow.ts';
import { adopt } from '../../../src/transitions/adopt.ts';
import { flow, UDP } from '../../support/flows.ts';
import { bucketOf, flowOf, MemoryTable, sorting } from './memory-table.ts';

const MINE = 20;
const THEIRS = 21;
const mine = Array.from({ length: 350 }, (_, port) => flowOf(MINE, 2000 + port));
const theirs = Array.from({ length: 350 }, (_, port) => flowOf(THEIRS, 2000 + port));
const owns = (bucket: number): boolean => bucket === bucketOf(MINE);
const never = new AbortController().signal;
const originals = (flows: readonly { original: unknown }[]) => flows.map(({ original }) => original);

/** Both nodes' flows, in turns. */
const mixed = mine.flatMap((one, index) => [one, theirs[index] ?? one]);

describe('adopt', () => {
  it('touches every replicated flow of the owned buckets once, and no other', async () => {
    const table = new MemoryTable([...mixed, flowOf(MINE, 9000, UDP)]);
    expect(await adopt({ table }, sorting, owns, never)).toBe(350);
    expect(table.touched).toEqual(originals(mine));
  });

  it('touches flows of both families', async () => {
    const legs = [[parseNetwork('192.168.0.0/24'), parseNetwork('fd00:1::/64')]];
    const dual = { ...sorting, hashing: { ...sorting.hashing, legs } };
    const host = (index: number): string => `[fd00:1::${index.toString(16)}]:4000`;
    const flows = Array.from({ length: 300 }, (_, index) =>
      index % 2 === 0 ? flow(host(index), '[2001:db8::1]:80') : flowOf(index % 250),
    );
    const table = new MemoryTable(flows);
    const chosen = (bucket: number): boolean => bucket % 2 === 0;
    await adopt({ table }, dual, chosen, never);
    expect(table.touched).toEqual(originals(flows.filter((one) => chosen(bucketOfFlow(one, dual.hashing)))));
    expect(new Set(table.touched.map(({ src }) => typeof src))).toEqual(new Set(['number', 'object']));
  });

  it('touches only what was chosen', async () => {
    const table = new MemoryTable(
      mixed.map((one, index) => ({ ...one, timeout: index % 4 === 0 ? 30 : 9000 })),
    );
    await adopt({ table }, sorting, owns, never, ({ timeout }) => timeout < 600);
    expect(table.touched).toEqual(originals(mine.filter((_, index) => index % 2 === 0)));
  });

  it('keeps its batches small', async () => {
    const table = new MemoryTable(mine, 60);
    await adopt({ table }, sorting, owns, never);
    expect(Math.max(...table.batches)).toBeLessThanOrEqual(160);
    expect(table.batches.length).toBeGreaterThan(2);
  });

  it('leaves a bucket alone from the moment that it is given up', async () => {
    const table = new MemoryTable(mine, 50);
    await adopt({ table }, sorting, (bucket) => table.touched.length === 0 && owns(bucket), never);
    expect(table.touched.length).toBeGreaterThan(0);
    expect(table.touched.length).toBeLessThan(150);
  });

  it('looks again at what was read before the bucket was given up', async () => {
    // All is read in one piece while it is owned; the batch is sent when it is not.
    let looks = 0;
    const table = new MemoryTable(mine.slice(0, 50), 50);
    await adopt({ table }, sorting, () => ++looks <= 50, never);
    expect(looks).toBe(100);
    expect(table.touched).toEqual([]);
  });

  it('touches nothing more once it is called off', async () => {
    const job = new AbortController();
    const table = new MemoryTable(mine, 50);
    table.afterTouch = () => job.abort();
    expect(await adopt({ table }, sorting, owns, job.signal)).toBe(100);
    expect(table.touched).toHaveLength(100);
  });

  it('touches no faster than conntrackd reads', async () => {
    const many = Array.from({ length: 3000 }, (_, port) => flowOf(MINE, 2000 + port));
    const began = performance.now();
    await adopt({ table: new MemoryTable(many) }, sorting, owns, never);
    // 3000 at 100 000 a second, less what a timer may be early.
    expect(performance.now() - began).toBeGreaterThan(25);
  });

  it('touches as many as there are, each with its own tuple', async () => {
    const many = Array.from({ length: 2500 }, (_, port) => flowOf(MINE, 2000 + port));
    const table = new MemoryTable(many);
    expect(await adopt({ table }, sorting, owns, never)).toBe(2500);
    expect(table.touched).toEqual(originals(many));
  });
});
