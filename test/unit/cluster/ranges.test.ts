import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Group, groupsOf } from '../../../src/cluster/groups.ts';
import { portRange, sharesOf } from '../../../src/cluster/ranges.ts';

const ranges = (buckets: number) =>
  Array.from({ length: buckets }, (_, bucket) => portRange(bucket, buckets));

describe('portRange', () => {
  it('gives 64 buckets 1008 ports each', () => {
    expect(portRange(0, 64)).toEqual({ first: 1024, last: 2031 });
    expect(portRange(63, 64)).toEqual({ first: 64528, last: 65535 });
    expect(ranges(64).every(({ first, last }) => last - first + 1 === 1008)).toBe(true);
  });

  it('covers 1024 to 65535 in order, without gap or overlap, for any number of buckets', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2048 }), (buckets) => {
        let next = 1024;
        for (const { first, last } of ranges(buckets)) {
          expect(first).toBe(next);
          expect(last).toBeGreaterThanOrEqual(first);
          next = last + 1;
        }
        expect(next).toBe(65536);
      }),
    );
  });

  it('gives every bucket the same number of ports, give or take one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2048 }), (buckets) => {
        const sizes = ranges(buckets).map(({ first, last }) => last - first + 1);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each([
    [64, 64],
    [-1, 64],
    [0.5, 64],
    [0, 0],
    [0, 64513],
    [Number.NaN, 64],
  ])('refuses bucket %d of %d', (bucket, buckets) => {
    expect(() => portRange(bucket, buckets)).toThrow(RangeError);
  });
});

/** `count` nodes, enough buckets for their groups, and up to three addresses for each group. */
const pool = fc
  .record({ count: fc.integer({ min: 2, max: 5 }), power: fc.integer({ min: 5, max: 8 }) })
  .chain(({ count, power }) =>
    fc.record({
      buckets: fc.constant(2 ** power),
      groups: fc.constant(groups(count, 2 ** power)),
      addresses: fc.integer({ min: 1, max: 3 * count * (count - 1) }).map(pooled),
    }),
  );

const pooled = (length: number) => Array.from({ length }, (_, index) => `203.0.113.${index + 1}`);

const groups = (count: number, buckets: number): readonly Group[] =>
  groupsOf({
    buckets,
    nodes: Array.from({ length: count }, (_, index) => ({
      name: `fw${index + 1}`,
      id: index + 1,
      sync: `10.99.0.${index + 1}`,
      devices: {},
    })),
  });

describe('sharesOf', () => {
  it('shares out one address as portRange does', () => {
    expect(sharesOf(['192.168.1.5'], groups(2, 64), 64)).toEqual(
      ranges(64).map((range, bucket) => ({ bucket, address: '192.168.1.5', ...range })),
    );
  });

  it('goes round fewer addresses than groups', () => {
    const shares = sharesOf(pooled(3), groups(3, 64), 64);
    expect(shares.slice(0, 4)).toEqual([
      { bucket: 0, address: '203.0.113.1', first: 1024, last: 3955 },
      { bucket: 1, address: '203.0.113.2', first: 1024, last: 4095 },
      { bucket: 2, address: '203.0.113.3', first: 1024, last: 4095 },
      { bucket: 3, address: '203.0.113.1', first: 3956, last: 6887 },
    ]);
  });

  it('gives each group addresses of its own when there are enough, all of them used', () => {
    const shares = sharesOf(pooled(5), groups(2, 8), 8);
    expect(shares.every(({ first, last }) => first === 1024 && last === 65535)).toBe(true);
    // fw1_fw2 has the even buckets and the first, third and fifth address.
    expect(shares.map(({ address }) => Number(address.split('.')[3]))).toEqual([1, 2, 3, 4, 5, 2, 1, 4]);
  });

  it('has every bucket once, ascending, for any pool', () => {
    fc.assert(
      fc.property(pool, ({ addresses, groups, buckets }) => {
        expect(sharesOf(addresses, groups, buckets).map(({ bucket }) => bucket)).toEqual(
          Array.from({ length: buckets }, (_, bucket) => bucket),
        );
      }),
    );
  });

  it('never has two groups translate to the same, for any pool', () => {
    fc.assert(
      fc.property(pool, ({ addresses, groups, buckets }) => {
        const shares = sharesOf(addresses, groups, buckets);
        const groupAt = new Map(groups.flatMap(({ name, buckets }) => buckets.map((one) => [one, name])));
        const clashes = shares.filter((one) =>
          shares.some(
            (other) =>
              one.address === other.address &&
              one.first <= other.last &&
              other.first <= one.last &&
              groupAt.get(one.bucket) !== groupAt.get(other.bucket),
          ),
        );
        expect(clashes).toEqual([]);
      }),
    );
  });

  it('leaves out no port of an address, and no address unless its group has fewer buckets', () => {
    fc.assert(
      fc.property(pool, ({ addresses, groups, buckets }) => {
        const shares = sharesOf(addresses, groups, buckets);
        for (const address of addresses) {
          const own = shares.filter((share) => share.address === address);
          const covered = own.reduce((next, { first, last }) => (first <= next ? last + 1 : next), 1024);
          const group = groups[addresses.indexOf(address) % groups.length];
          const idle = addresses.length >= groups.length && own.length === 0;
          expect(covered).toBe(idle ? 1024 : 65536);
          expect(idle && (group?.buckets.length ?? 0) >= addresses.length / groups.length).toBe(false);
        }
      }),
    );
  });

  it('needs an address', () => {
    expect(() => sharesOf([], groups(2, 64), 64)).toThrow(RangeError);
  });
});
