import { describe, expect, it } from 'vitest';
import { parseNetwork } from '../../../src/cluster/address.ts';
import type { Hashing } from '../../../src/cluster/flow.ts';
import { bucketOfFlow } from '../../../src/cluster/flow.ts';
import { RangeCount } from '../../../src/cluster/full-ranges.ts';
import { flow, UDP } from '../../support/flows.ts';

const hashing: Hashing = {
  seed: 0xdeadbeef,
  buckets: 2,
  legs: [[parseNetwork('192.168.0.0/24')]],
  published: [],
};
const client = '192.168.0.20';
const bucket = bucketOfFlow(flow(`${client}:1`, '8.8.8.8:53'), hashing);
/** Twenty ports for each bucket. */
const shares = [0, 1].map((one) => ({ bucket: one, address: '192.168.1.5', first: 2000, last: 2019 }));

/** So many flows of one client, each with a port of its own. */
const countOf = (number: number, translated = '192.168.1.5', server = '8.8.8.8:53') => {
  const count = new RangeCount(hashing, shares);
  for (let port = 0; port < number; port += 1) {
    count.add(flow(`${client}:${4000 + port}`, server, `${translated}:${2000 + port}`, UDP));
  }
  return count;
};

describe('RangeCount', () => {
  it('says which bucket has no port left, and where to', () => {
    expect(countOf(20).full).toEqual([
      { bucket, protocol: UDP, destination: '8.8.8.8:53', flows: 20, ports: 20 },
    ]);
  });

  it('counts a range as full when next to nothing is left of it', () => {
    expect(countOf(19).full).toHaveLength(1);
    expect(countOf(18).full).toEqual([]);
  });

  it('counts each destination by itself', () => {
    const count = countOf(15);
    for (let port = 0; port < 15; port += 1) {
      count.add(flow(`${client}:${5000 + port}`, '8.8.8.8:54', `192.168.1.5:${2000 + port}`, UDP));
    }
    expect(count.full).toEqual([]);
  });

  it("leaves out what is not translated, or to an address that is not the bucket's", () => {
    expect(countOf(30, '192.168.1.6').full).toEqual([]);
    const count = new RangeCount(hashing, shares);
    for (let port = 0; port < 30; port += 1) count.add(flow(`${client}:${4000 + port}`, '8.8.8.8:53'));
    expect(count.full).toEqual([]);
  });
});
