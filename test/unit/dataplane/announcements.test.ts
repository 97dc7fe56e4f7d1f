import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gratuitousArp } from '../../../src/dataplane/announce/gratuitous-arp.ts';
import {
  icmpv6Checksum,
  neighbourAdvertisement,
} from '../../../src/dataplane/announce/neighbour-advertisement.ts';
import { announcementOf, sharedAddresses } from '../../../src/dataplane/announce/shared-addresses.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const SHARED = '01:00:5e:00:01:01';
const OWN = '02:00:00:00:01:01';
const hex = (frame: Uint8Array | undefined): string => Buffer.from(frame ?? []).toString('hex');

/** Put together by hand; tcpdump finds both right, checksum and all. */
const ARP = [
  'ffffffffffff020000000101' + '0806',
  '0001' + '0800' + '06' + '04' + '0001',
  '01005e000101' + 'c0a80005',
  '000000000000' + 'c0a80005',
].join('');
const ND = [
  '333300000001020000000101' + '86dd',
  '60000000' + '0020' + '3a' + 'ff',
  'fd000001000000000000000000000005',
  'ff020000000000000000000000000001',
  '88' + '00' + '7c90' + 'a0000000',
  'fd000001000000000000000000000005',
  '02' + '01' + '01005e000101',
].join('');

describe('an announcement', () => {
  it('of an IPv4 address is a request for it by itself', () => {
    expect(hex(gratuitousArp({ address: '192.168.0.5', mac: SHARED, source: OWN }))).toBe(ARP);
  });

  it('of an IPv6 address is an advertisement to all', () => {
    expect(hex(neighbourAdvertisement({ address: 'fd00:1::5', mac: SHARED, source: OWN }))).toBe(ND);
  });

  it("has the shared MAC in it and the interface's own as its source", () => {
    const shared = { device: 'eth1', address: '192.168.0.5', mac: SHARED };
    expect(hex(announcementOf(shared, { mac: OWN, up: true }))).toBe(ARP);
    expect(hex(announcementOf({ ...shared, address: 'fd00:1::5' }, { mac: OWN, up: true }))).toBe(ND);
  });

  it('is none where nobody would get it', () => {
    const shared = { device: 'eth1', address: '192.168.0.5', mac: SHARED };
    expect(announcementOf(shared, undefined)).toBeUndefined();
    expect(announcementOf(shared, { mac: OWN, up: false })).toBeUndefined();
    expect(announcementOf(shared, { mac: '', up: true })).toBeUndefined();
  });

  it("is due for every address that neighbours ask for, on the node's own interfaces", () => {
    const [inside, outside] = clusterConfig().interfaces;
    const config = {
      interfaces: [
        ...(inside
          ? [{ ...inside, addresses: [...inside.addresses, { address: 'fe80::5', prefix: 64 }] }]
          : []),
        ...(outside ? [{ ...outside, snat: ['192.168.1.5', '203.0.113.7'] }] : []),
      ],
    };
    expect(sharedAddresses(config, { name: 'fw1', id: 1, sync: '', devices: { eth1: 'lan0' } })).toEqual([
      { device: 'lan0', address: '192.168.0.5', mac: SHARED },
      { device: 'lan0', address: 'fe80::5', mac: SHARED },
      { device: 'eth2', address: '192.168.1.5', mac: '01:00:5e:00:01:02' },
    ]);
  });
});

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** An even number of them, with room for the checksum at the third. */
const message = fc
  .uint8Array({ minLength: 8, maxLength: 1500 })
  .map((all) => all.subarray(0, all.length - (all.length % 2)));

/** The remainder by 0xffff, which the ones' complement sum is: 65536 is 1 there. */
const remainder = (...parts: readonly Uint8Array[]): bigint =>
  BigInt(`0x0${parts.map((part) => Buffer.from(part).toString('hex')).join('')}`) % 0xffffn;

describe('the checksum of an ICMPv6 message', () => {
  it('has a receiver find none', () => {
    fc.assert(
      fc.property(bytes(16), bytes(16), message, (from, to, all) => {
        const sent = Uint8Array.from(all);
        const view = new DataView(sent.buffer);
        view.setUint16(2, 0);
        view.setUint16(2, icmpv6Checksum(from, to, sent));
        expect(icmpv6Checksum(from, to, sent)).toBe(0);
      }),
    );
  });

  it("is the complement of the words' sum", () => {
    fc.assert(
      fc.property(bytes(16), bytes(16), message, (from, to, all) => {
        const pseudo = Uint8Array.of(0, 0, all.length >> 8, all.length & 255, 0, 0, 0, 58);
        const sum = BigInt(0xffff - icmpv6Checksum(from, to, all));
        expect(sum % 0xffffn).toBe(remainder(from, to, pseudo, all));
      }),
    );
  });
});
