import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupOfBucket, groupsOf } from '../../../src/cluster/groups.ts';

const cluster = (nodes: number, buckets: number) => ({
  buckets,
  nodes: Array.from({ length: nodes }, (_, index) => ({
    name: `fw${index + 1}`,
    id: index + 1,
    sync: `10.99.0.${index + 1}`,
    devices: {},
  })),
});

describe('groupsOf', () => {
  it('splits the buckets of two nodes in halves', () => {
    const [first, second] = groupsOf(cluster(2, 4));
    expect(first).toEqual({ name: 'fw1_fw2', home: 'fw1', order: ['fw1', 'fw2'], buckets: [0, 2] });
    expect(second).toEqual({ name: 'fw2_fw1', home: 'fw2', order: ['fw2', 'fw1'], buckets: [1, 3] });
  });

  it('puts every bucket into exactly one group, and every node once into each order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 16 }), fc.integer({ min: 4, max: 10 }), (nodes, power) => {
        const groups = groupsOf(cluster(nodes, 2 ** power));
        const buckets = groups.flatMap((group) => group.buckets).sort((one, other) => one - other);
        expect(buckets).toEqual(Array.from({ length: 2 ** power }, (_, bucket) => bucket));
        for (const group of groups) {
          expect(new Set(group.order).size).toBe(nodes);
          expect(group.name).toBe(`${group.order[0]}_${group.order[1]}`);
        }
      }),
    );
  });

  it('spreads what failed nodes leave evenly, moves nothing else, and has it back when they return', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 16 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
        (nodes, failing) => {
          const groups = groupsOf(cluster(nodes, 256));
          const names = groups.map(({ home }) => home);
          const failed = new Set(failing.map((each) => names[each % names.length]));
          const alive = [...new Set(names)].filter((name) => !failed.has(name));
          fc.pre(alive.length > 0);
          const ownerOf = (order: readonly string[], nodes: readonly string[]) =>
            order.find((name) => nodes.includes(name));
          const owners = groups.map(({ order }) => ownerOf(order, alive));
          const loads = alive.map((name) => owners.filter((owner) => owner === name).length);
          const even = groups.length / alive.length;
          expect(Math.max(...loads.map((load) => Math.abs(load - even)))).toBeLessThan(1);
          groups.forEach(({ home, order }, index) => {
            expect(failed.has(home) || owners[index] === home).toBe(true);
            expect(ownerOf(order, [...new Set(names)])).toBe(home);
          });
        },
      ),
      { numRuns: 100 },
    );
  });

  it('names the group of a bucket, and refuses one that is none', () => {
    expect(groupOfBucket(groupsOf(cluster(2, 4)), 3).name).toBe('fw2_fw1');
    expect(() => groupOfBucket(groupsOf(cluster(2, 4)), 4)).toThrow(RangeError);
  });
});
