import { describe, expect, it } from 'vitest';
import { addressWord, parseNetwork } from '../../../src/cluster/address.ts';
import { bucketOfFlow, type Hashing } from '../../../src/cluster/flow.ts';
import { bucketOfWord } from '../../../src/cluster/hash.ts';
import { flow } from '../../support/flows.ts';

const hashing: Hashing = { seed: 0xdeadbeef, buckets: 1024, inside: [parseNetwork('192.168.0.0/24')] };
const of = (address: string): number => bucketOfWord(addressWord(address), hashing.seed, hashing.buckets);

describe('bucketOfFlow', () => {
  it('is that of the client inside, translated or not', () => {
    expect(bucketOfFlow(flow('192.168.0.20:4000', '8.8.8.8:53'), hashing)).toBe(of('192.168.0.20'));
    expect(bucketOfFlow(flow('192.168.0.20:4000', '8.8.8.8:53', '192.168.1.5:1024'), hashing)).toBe(
      of('192.168.0.20'),
    );
  });

  it('is that of the inside host for a flow that began outside, its destination translated or not', () => {
    expect(bucketOfFlow(flow('8.8.8.8:4000', '192.168.0.20:80'), hashing)).toBe(of('192.168.0.20'));
    const published = flow('8.8.8.8:4000', '192.168.1.5:80');
    const reply = flow('192.168.0.20:80', '8.8.8.8:4000').original;
    expect(bucketOfFlow({ ...published, reply }, hashing)).toBe(of('192.168.0.20'));
  });

  it('is that of the source when both or neither end is inside', () => {
    expect(bucketOfFlow(flow('192.168.0.20:4000', '192.168.0.30:80'), hashing)).toBe(of('192.168.0.20'));
    expect(bucketOfFlow(flow('10.99.0.1:4000', '10.99.0.2:80'), hashing)).toBe(of('10.99.0.1'));
  });
});
