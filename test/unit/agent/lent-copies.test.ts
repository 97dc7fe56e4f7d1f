import { describe, expect, it } from 'vitest';
import { lentCopies } from '../../../src/agent/lent-copies.ts';
import { fingerprint } from '../../../src/cluster/fingerprint.ts';
import { HashTable } from '../../../src/cluster/hash-table.ts';
import { UDP } from '../../support/flows.ts';
import { bucketOf, flowOf, MemoryTable, sorting } from '../transitions/memory-table.ts';

const flowsOf = (host: number) => Array.from({ length: 250 }, (_, index) => flowOf(host, 2000 + index));
const [THEIRS, OWN] = [bucketOf(20), bucketOf(21)];
const ASKED = new Set([THEIRS, OWN]);

const setUp = () => {
  const copies = flowsOf(20);
  const table = new MemoryTable([...copies, ...flowsOf(21), flowOf(20, 9, UDP)]);
  const theirs = new Set([THEIRS]);
  const lent: string[] = [];
  const source = lentCopies(
    { table },
    () => sorting,
    (bucket) => theirs.has(bucket),
    async (touching) => {
      lent.push('begun');
      const touched = await touching();
      lent.push(`touched ${touched}`);
      return touched;
    },
  );
  return { copies, table, theirs, source, lent };
};

describe('lentCopies', () => {
  it('lists its copies of what the asking peer owns, and nothing of its own', async () => {
    const { copies, source } = setUp();
    const listed: number[] = [];
    for await (const hashes of source.hashes(ASKED)) listed.push(...hashes);
    expect(listed).toEqual(copies.map(fingerprint));
  });

  it('touches what the owner misses, where it can be taken out of the cache again', async () => {
    const { copies, table, source, lent } = setUp();
    const missed = copies.slice(0, 30);
    expect(await source.touch(ASKED, HashTable.of([...missed.map(fingerprint), 17]))).toBe(30);
    expect(table.touched).toEqual(missed.map(({ original }) => original));
    expect(lent).toEqual(['begun', 'touched 30']);
  });

  it('touches nothing more once that peer owns it no longer', async () => {
    const { copies, table, theirs, source } = setUp();
    table.afterTouch = () => theirs.clear();
    expect(await source.touch(ASKED, HashTable.of(copies.map(fingerprint)))).toBe(100);
  });

  it('has nothing to give with an external cache', async () => {
    const { table } = setUp();
    const external = {
      commit: () => Promise.reject(new Error('nothing is committed here')),
      flush: async () => {},
      count: async () => 0,
      dump: async function* () {},
      sent: async () => true,
    };
    const source = lentCopies(
      { table, external },
      () => sorting,
      () => true,
      (touching) => touching(),
    );
    for await (const _ of source.hashes(ASKED)) expect.unreachable();
  });
});
