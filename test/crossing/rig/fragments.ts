import ipaddr from 'ipaddr.js';
import type { Machine } from '../../lab/rig/machine.ts';

/** One end of a UDP flow. */
export interface End {
  readonly address: string;
  readonly port: number;
}

export const ORDERS = ['in order', 'reversed', 'last first'] as const;
export type Order = (typeof ORDERS)[number];

/** Bytes of the datagram's payload: three fragments. */
export const PAYLOAD = 3000;

/** Bytes of a fragment's part, a multiple of 8 (RFC 791, RFC 8200). */
const PART = 1400;

/** Has a host send one datagram from its eth0 as three fragments in some order, to a MAC. */
export const sendFragments = async (
  host: Machine,
  mac: string,
  from: End,
  to: End,
  order: Order,
): Promise<void> => {
  const [first, second, third] = framesOf(mac, from, to);
  if (!first || !second || !third) throw new Error('expected three fragments');
  const frames = {
    'in order': [first, second, third],
    reversed: [third, second, first],
    'last first': [third, first, second],
  }[order];
  const [index = ''] = (await host.run(['ip', '-o', 'link', 'show', 'eth0'])).split(':');
  await host.run(['perl', '-e', SEND, index, ...frames.map((frame) => frame.toString('hex'))]);
};

/** packet(7): AF_PACKET is 17, SOCK_RAW 3; struct sockaddr_ll. */
const SEND = `
use strict;
my $index = shift(@ARGV);
socket(my $socket, 17, 3, 0) or die "socket: $!";
for my $hex (@ARGV) {
  my $frame = pack("H*", $hex);
  my $to = pack("S n i S C C a8", 17, 0, $index, 0, 0, 6, substr($frame, 0, 6));
  defined(send($socket, $frame, 0, $to)) or die "send: $!";
}`;

const framesOf = (mac: string, from: End, to: End): Buffer[] => {
  const ip6 = from.address.includes(':');
  const datagram = udp(from, to);
  const id = Math.floor(Math.random() * 0xffff) + 1;
  const ethernet = Buffer.from(
    `${mac}:02:00:00:00:99:01`.replaceAll(':', '') + (ip6 ? '86dd' : '0800'),
    'hex',
  );
  return [0, PART, 2 * PART].map((offset) => {
    const part = datagram.subarray(offset, offset + PART);
    const more = offset + PART < datagram.length;
    const header = (ip6 ? header6 : header4)(from, to, part.length, id, offset, more);
    return Buffer.concat([ethernet, header, part]);
  });
};

const udp = (from: End, to: End): Buffer => {
  const datagram = Buffer.alloc(8 + PAYLOAD, 'x');
  datagram.writeUInt16BE(from.port, 0);
  datagram.writeUInt16BE(to.port, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  datagram.writeUInt16BE(0, 6);
  // The pseudo header is a sum, so the width of its fields doesn't matter (RFC 768, RFC 8200).
  const pseudo = Buffer.from([0, 17, datagram.length >>> 8, datagram.length & 255]);
  datagram.writeUInt16BE(
    checksum(Buffer.concat([bytes(from.address), bytes(to.address), pseudo, datagram])),
    6,
  );
  return datagram;
};

type Header = (from: End, to: End, length: number, id: number, offset: number, more: boolean) => Buffer;

const header4: Header = (from, to, length, id, offset, more) => {
  const header = Buffer.concat([Buffer.alloc(12), bytes(from.address), bytes(to.address)]);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + length, 2);
  header.writeUInt16BE(id, 4);
  header.writeUInt16BE((more ? 0x2000 : 0) | (offset / 8), 6);
  header.writeUInt8(64, 8);
  header.writeUInt8(17, 9);
  header.writeUInt16BE(checksum(header), 10);
  return header;
};

/** With the fragment header, 44. */
const header6: Header = (from, to, length, id, offset, more) => {
  const header = Buffer.concat([Buffer.alloc(8), bytes(from.address), bytes(to.address), Buffer.alloc(8)]);
  header.writeUInt32BE(0x6000_0000, 0);
  header.writeUInt16BE(8 + length, 4);
  header.writeUInt8(44, 6);
  header.writeUInt8(64, 7);
  header.writeUInt8(17, 40);
  header.writeUInt16BE(offset | (more ? 1 : 0), 42);
  header.writeUInt32BE(id, 44);
  return header;
};

const bytes = (address: string): Buffer => Buffer.from(ipaddr.parse(address).toByteArray());

const checksum = (data: Buffer): number => {
  let sum = 0;
  for (let at = 0; at < data.length; at += 2) sum += ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
};
