import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../../src/cluster/address.ts';
import type { Tuple } from '../../../src/cluster/flow.ts';
import { TupleList } from '../../../src/cluster/tuple-list.ts';

const half = fc.integer();
const ipv6 = fc.record({ first: half, second: half, third: half, fourth: half });
const port = fc.nat(0xffff);
const tuplesOf = (address: fc.Arbitrary<Address>): fc.Arbitrary<Tuple> =>
  fc.record({ protocol: fc.nat(255), src: address, dst: address, sport: port, dport: port });
const tuples = fc.oneof(tuplesOf(fc.nat(0xffff_ffff)), tuplesOf(ipv6));

describe('TupleList', () => {
  it('gives back what was put in, of both families, in order, of the buckets that are chosen', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(tuples, fc.nat(3)), { maxLength: 40 }),
        fc.nat(40),
        fc.nat(40),
        (all, start, end) => {
          const list = new TupleList();
          for (const [tuple, bucket] of all) {
            list.push(tuple, bucket);
          }
          expect(list.length).toBe(all.length);
          expect(list.slice(start, end, (bucket) => bucket !== 2)).toEqual(
            all
              .slice(start, Math.max(start, end))
              .filter(([, bucket]) => bucket !== 2)
              .map(([tuple]) => tuple),
          );
        },
      ),
    );
  });

  it('grows', () => {
    const list = new TupleList();
    const tuple = (fourth: number): Tuple => {
      const address = { first: -1, second: 0, third: 1, fourth };
      return { protocol: 6, src: address, dst: { ...address, first: 2 }, sport: fourth & 0xffff, dport: 80 };
    };
    for (let index = 0; index < 10_000; index++) {
      list.push(tuple(index), 1);
      list.push({ protocol: 17, src: index, dst: 5, sport: 1, dport: 2 }, 1);
    }
    expect(list.slice(19_998, 20_000, () => true)).toEqual([
      tuple(9999),
      { protocol: 17, src: 9999, dst: 5, sport: 1, dport: 2 },
    ]);
    expect(list.slice(0, 1, () => true)).toEqual([tuple(0)]);
  });
});
