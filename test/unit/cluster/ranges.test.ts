import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portRange } from '../../../src/cluster/ranges.ts';

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
