import { describe, expect, it } from 'vitest';
import { addressWord, parseAddress, parseNetwork } from '../../../src/cluster/address.ts';
import { bucketOfFlow, type Hashing } from '../../../src/cluster/flow.ts';
import { bucketOf } from '../../../src/cluster/hash.ts';
import { flow } from '../../support/flows.ts';

const hashing: Hashing = {
  seed: 0xdeadbeef,
  buckets: 1024,
  legs: [[parseNetwork('192.168.0.0/24')]],
  published: [],
};
const of = (address: string): number => bucketOf(parseAddress(address), hashing.seed, hashing.buckets);

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

  it('is that of the end behind the earlier interface, whichever side began', () => {
    const dmz = { ...hashing, legs: [[parseNetwork('192.168.0.0/24')], [parseNetwork('192.168.2.0/24')]] };
    expect(bucketOfFlow(flow('192.168.0.20:4000', '192.168.2.9:80'), dmz)).toBe(of('192.168.0.20'));
    expect(bucketOfFlow(flow('192.168.2.9:4000', '192.168.0.20:80'), dmz)).toBe(of('192.168.0.20'));
    expect(bucketOfFlow(flow('192.168.2.9:4000', '8.8.8.8:80'), dmz)).toBe(of('192.168.2.9'));
    expect(bucketOfFlow(flow('8.8.8.8:4000', '192.168.2.9:80'), dmz)).toBe(of('192.168.2.9'));
  });

  it('is that of the client of a published service, and of the other end where the server begins at its port', () => {
    const address = addressWord('192.168.0.80');
    const web = { ...hashing, published: [{ protocol: 6, address, firstPort: 8080, lastPort: 8081 }] };
    const published = flow('8.8.8.8:4000', '192.168.1.5:80');
    const reply = flow('192.168.0.80:8080', '8.8.8.8:4000').original;
    expect(bucketOfFlow({ ...published, reply }, web)).toBe(of('8.8.8.8'));
    expect(bucketOfFlow(flow('192.168.0.20:4000', '192.168.0.80:8081'), web)).toBe(of('192.168.0.20'));
    expect(bucketOfFlow(flow('192.168.0.80:8080', '8.8.8.8:80'), web)).toBe(of('8.8.8.8'));
    // Another port, another protocol: as if it weren't published.
    expect(bucketOfFlow(flow('8.8.8.8:4000', '192.168.0.80:8082'), web)).toBe(of('192.168.0.80'));
    expect(bucketOfFlow(flow('192.168.0.80:4000', '8.8.8.8:80'), web)).toBe(of('192.168.0.80'));
    expect(bucketOfFlow(flow('8.8.8.8:4000', '192.168.0.80:8080', undefined, 17), web)).toBe(
      of('192.168.0.80'),
    );
  });

  it('is by the same rules that of an IPv6 address', () => {
    const legs = [
      [parseNetwork('192.168.0.0/24'), parseNetwork('fd00:1::/64')],
      [parseNetwork('fd00:2::/64')],
    ];
    const address = parseAddress('fd00:1::80');
    const both = { ...hashing, legs, published: [{ protocol: 6, address, firstPort: 8080, lastPort: 8080 }] };
    expect(bucketOfFlow(flow('[fd00:1::20]:4000', '[2001:db8::1]:53', '[fd00:9::5]:1024'), both)).toBe(
      of('fd00:1::20'),
    );
    expect(bucketOfFlow(flow('[2001:db8::1]:4000', '[fd00:1::20]:80'), both)).toBe(of('fd00:1::20'));
    expect(bucketOfFlow(flow('[fd00:2::9]:4000', '[fd00:1::20]:80'), both)).toBe(of('fd00:1::20'));
    expect(bucketOfFlow(flow('[fd00:2::9]:4000', '[2001:db8::1]:80'), both)).toBe(of('fd00:2::9'));
    expect(bucketOfFlow(flow('[2001:db8::1]:4000', '[fd00:1::80]:8080'), both)).toBe(of('2001:db8::1'));
    expect(bucketOfFlow(flow('[2001:db8::1]:4000', '[fd00:1::80]:8081'), both)).toBe(of('fd00:1::80'));
    expect(bucketOfFlow(flow('192.168.0.20:4000', '8.8.8.8:53'), both)).toBe(of('192.168.0.20'));
  });
});
