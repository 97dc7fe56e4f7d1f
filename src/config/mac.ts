import { show } from './complaint.ts';
import { Refusal, textLeaf } from './leaf.ts';

/** The shared MAC of an interface, in lower case. Which ones go with which delivery is checked elsewhere. */
export const sharedMac = textLeaf('use a multicast MAC such as "01:00:5e:00:01:01"', (text) => {
  const mac = text.toLowerCase();
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac)) {
    return new Refusal(`${show(text)} is not a MAC address`);
  }
  const taken = TAKEN.find(({ pattern }) => pattern.test(mac));
  return taken === undefined ? mac : new Refusal(`${show(text)} ${taken.by}`);
});

/** Whether switches flood it: the low bit of the first byte. */
export const isMulticastMac = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

/** MACs that have another use. */
const TAKEN: readonly { readonly pattern: RegExp; readonly by: string }[] = [
  { pattern: /^ff:ff:ff:ff:ff:ff$/, by: 'is the broadcast address, which every host listens to' },
  // 224.0.0.18 (RFC 5798, 5.1.1.2) mapped by RFC 1112, 6.4.
  { pattern: /^01:00:5e:00:00:12$/, by: 'is the MAC of VRRP, which keepalived uses' },
  // IEEE 802.1Q, table 8-1: spanning tree, LACP and the like.
  { pattern: /^01:80:c2:00:00:0.$/, by: 'is one that no switch passes on (IEEE 802.1Q)' },
  { pattern: /^33:33:/, by: 'is one of IPv6 multicast (RFC 2464)' },
];
