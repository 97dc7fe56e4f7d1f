import { type Announced, addressBytes, ethernetFrame, macBytes } from './ethernet.ts';

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
/** linux/if_ether.h, linux/if_arp.h. */
const ETH_P_ARP = 0x0806;
const ETH_P_IP = 0x0800;
const ARPHRD_ETHER = 1;
const ARPOP_REQUEST = 1;
const MAC_BYTES = 6;
const IPV4_BYTES = 4;
const PACKET_BYTES = 28;

/**
 * The frame by which neighbours that know an IPv4 address learn its MAC anew: an ARP announcement (RFC 5227, 2.3), a request to
 * all for an address by that address itself. Not an answer that nobody asked for: RFC 826 has hosts learn from either, but
 * some take such answers for an attack, or ignore them (RFC 5227, 3).
 */
export const gratuitousArp = ({ address, mac, source }: Announced): Uint8Array => {
  const packet = new Uint8Array(PACKET_BYTES);
  const view = new DataView(packet.buffer);
  view.setUint16(0, ARPHRD_ETHER);
  view.setUint16(2, ETH_P_IP);
  view.setUint8(4, MAC_BYTES);
  view.setUint8(5, IPV4_BYTES);
  view.setUint16(6, ARPOP_REQUEST);
  packet.set(macBytes(mac), 8);
  packet.set(addressBytes(address), 14);
  // The target's MAC, which is asked for, is left zero.
  packet.set(addressBytes(address), 24);
  return ethernetFrame(BROADCAST, source, ETH_P_ARP, packet);
};
