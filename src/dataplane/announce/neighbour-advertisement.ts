import { type Announced, addressBytes, ethernetFrame, macBytes } from './ethernet.ts';

/** All nodes of the link (RFC 4291, 2.7.1), and their MAC (RFC 2464, 7). */
const ALL_NODES = 'ff02::1';
const ALL_NODES_MAC = '33:33:00:00:00:01';
const ETH_P_IPV6 = 0x86dd;
const IPV6_VERSION = 6 << 4;
const ICMPV6 = 58;
/** Receivers ignore what may have passed a router (RFC 4861, 7.1.2). */
const HOP_LIMIT = 255;
const HEADER_BYTES = 40;
/** RFC 4861, 4.4 and 4.6.1. */
const ADVERTISEMENT = 136;
const ROUTER = 0x80;
const OVERRIDE = 0x20;
const TARGET_MAC_OPTION = 2;
/** The option's length, in units of 8 bytes. */
const OPTION_UNITS = 1;
const MESSAGE_BYTES = 32;

/**
 * The frame by which neighbours that know an IPv6 address learn its MAC anew: an unsolicited neighbour advertisement to all (RFC
 * 4861, 7.2.6). Override has them replace what they know; Router keeps them from taking a router for a host.
 */
export const neighbourAdvertisement = ({ address, mac, source }: Announced): Uint8Array => {
  const own = addressBytes(address);
  const all = addressBytes(ALL_NODES);
  const packet = new Uint8Array(HEADER_BYTES + MESSAGE_BYTES);
  const header = new DataView(packet.buffer);
  header.setUint8(0, IPV6_VERSION);
  header.setUint16(4, MESSAGE_BYTES);
  header.setUint8(6, ICMPV6);
  header.setUint8(7, HOP_LIMIT);
  packet.set(own, 8);
  packet.set(all, 24);
  const message = packet.subarray(HEADER_BYTES);
  const view = new DataView(packet.buffer, HEADER_BYTES);
  view.setUint8(0, ADVERTISEMENT);
  view.setUint8(4, ROUTER | OVERRIDE);
  message.set(own, 8);
  view.setUint8(24, TARGET_MAC_OPTION);
  view.setUint8(25, OPTION_UNITS);
  message.set(macBytes(mac), 26);
  view.setUint16(2, icmpv6Checksum(own, all, message));
  return ethernetFrame(ALL_NODES_MAC, source, ETH_P_IPV6, packet);
};

/**
 * The checksum of an ICMPv6 message (RFC 4443, 2.3): over it and a pseudo-header (RFC 8200, 8.1). With the checksum in
 * its place in the message, 0.
 *
 * @param message of an even number of bytes
 */
export const icmpv6Checksum = (from: Uint8Array, to: Uint8Array, message: Uint8Array): number => {
  let sum = wordsOf(from) + wordsOf(to) + message.length + ICMPV6 + wordsOf(message);
  while (sum > 0xffff) {
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return 0xffff - sum;
};

const wordsOf = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte, index) => sum + (index % 2 === 0 ? byte << 8 : byte), 0);
