import { describe, expect, it } from 'vitest';
import { Witnesses } from '../../../src/agent/witnesses.ts';
import type { Flow } from '../../../src/cluster/flow.ts';
import { UDP } from '../../support/flows.ts';
import { bucketOf, flowOf, sorting } from '../transitions/memory-table.ts';

const ASSURED = 0x4;
const ENDINGS = [10, 120];
const SECOND = 1000;

const lasting = (port: number, fields: Partial<Flow> = {}): Flow => ({
  ...flowOf(20, port),
  status: ASSURED,
  timeout: 300,
  ...fields,
});

const setUp = (flows: readonly Flow[], endings: readonly number[] = ENDINGS) => {
  const table = new Map(flows.map((flow) => [flow.original.sport, flow]));
  const owned = new Set([bucketOf(20)]);
  const asked: number[] = [];
  const witnesses = new Witnesses({
    owns: (bucket) => owned.has(bucket),
    find: async (tuples) => {
      asked.push(tuples.length);
      return tuples.map(({ sport }) => table.get(sport));
    },
    endings: () => endings,
  });
  const choose = () => {
    const choice = witnesses.choose(sorting);
    for (const flow of table.values()) choice.offer(flow);
    choice.end();
  };
  let now = 0;
  const look = (after = SECOND) => {
    now += after;
    return witnesses.look(now);
  };
  return { table, owned, asked, choose, look };
};

const many = (count: number): Flow[] => Array.from({ length: count }, (_, index) => lasting(1000 + index));

describe('Witnesses', () => {
  it('tells of connections that were deleted', async () => {
    const { table, choose, look } = setUp(many(20));
    choose();
    expect([await look(), await look()]).toEqual([undefined, undefined]);
    for (let port = 1000; port < 1012; port += 1) table.delete(port);
    expect(await look()).toEqual({ looked: 20, vanished: 12 });
    expect(await look()).toBeUndefined();
  });

  it('tells of none that have ended, and expire later', async () => {
    const { table, choose, look } = setUp(many(20));
    choose();
    await look();
    await look();
    for (const [port, flow] of table) table.set(port, { ...flow, timeout: 10 });
    expect(await look()).toBeUndefined();
    table.clear();
    expect(await look()).toBeUndefined();
  });

  it('tells of none that vanished before a look had found them', async () => {
    const { table, choose, look } = setUp(many(20));
    await look();
    choose();
    table.clear();
    expect([await look(), await look()]).toEqual([undefined, undefined]);
  });

  it('concludes nothing after a pause in which ended ones may have expired', async () => {
    const { table, choose, look } = setUp(many(20));
    choose();
    await look();
    table.clear();
    expect(await look(5 * SECOND)).toBeUndefined();
  });

  it('goes on looking at the old ones until new ones are known to be there', async () => {
    const { table, choose, look } = setUp(many(20));
    choose();
    await look();
    choose();
    table.clear();
    expect(await look()).toEqual({ looked: 20, vanished: 20 });
  });

  it.each([
    ['few', 4],
    ['a small part', 10],
  ])('says nothing of %s', async (_, count) => {
    const { table, choose, look } = setUp(many(100));
    choose();
    await look();
    await look();
    for (let port = 1000; port < 1000 + count; port += 1) table.delete(port);
    expect(await look()).toBeUndefined();
  });

  it('says nothing of what this node has given up', async () => {
    const { table, owned, choose, look } = setUp(many(20));
    choose();
    await look();
    await look();
    table.clear();
    owned.clear();
    expect(await look()).toBeUndefined();
    owned.add(bucketOf(20));
    expect(await look()).toBeUndefined();
  });

  it('looks at lasting connections alone, and at a hundred at most', async () => {
    const short = [
      lasting(1, { timeout: 120 }),
      lasting(2, { status: 0 }),
      { ...flowOf(20, 3, UDP), timeout: 900 },
    ];
    const { asked, choose, look } = setUp([...many(1000), ...short]);
    choose();
    await look();
    expect(asked).toEqual([100]);
    const only = setUp(short);
    only.choose();
    await only.look();
    expect(only.asked).toEqual([]);
  });

  it('concludes nothing where ended connections leave at once', async () => {
    const { asked, choose, look } = setUp(many(20), [1, 120]);
    choose();
    await look();
    expect(asked).toEqual([]);
  });
});
