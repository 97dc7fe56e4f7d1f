import { broadcastAddress, type Subnet, subnetText } from '../config/subnet.ts';
import { familyOf } from './family.ts';
import { groupOfMac } from './igmp.ts';
import type { Leg, Plan } from './plan.ts';

/**
 * One thing that the data plane puts into the kernel beside its rules. `start` puts them all, the watch compares and mends them,
 * `stop` takes them away.
 */
export type Part = Setting | ReceivedFrames | SharedAddress | WayToSubnet;

/** A value of sysctl. */
export interface Setting {
  readonly kind: 'setting';
  readonly name: string;
  readonly value: string;
}

/** An interface receives frames to the shared MAC. */
export interface ReceivedFrames {
  readonly kind: 'group';
  readonly device: string;
  readonly mac: string;
}

/** A shared address on an interface, or with delivery igmp the IP group, which the kernel joins as long as the address is there. */
export interface SharedAddress {
  readonly kind: 'address';
  readonly device: string;
  /** With prefix: 192.168.0.5/32. */
  readonly address: string;
  /** That of its subnet: with a prefix of 32 the kernel knows none. Not compared. */
  readonly broadcast?: string | undefined;
}

/** Hosts of a shared address's subnet are reached by its interface, also where this node has no address of its own there. */
export interface WayToSubnet {
  readonly kind: 'way';
  readonly device: string;
  /** 192.168.0.0/24 */
  readonly network: string;
  readonly source: string;
}

/** What is on one interface. */
export type DevicePart = Exclude<Part, Setting>;

/** Conntrack's settings while the data plane is loaded. */
const SETTINGS: readonly Setting[] = [
  // A packet from the middle of a connection that this node has no state of is not to make one.
  { kind: 'setting', name: 'net.netfilter.nf_conntrack_tcp_loose', value: '0' },
  // Windows aren't replicated, and can't be compared: where another node has served a connection and the news was lost, its
  // packets would be out of this node's window for good. Resets out of the window are INVALID all the same.
  { kind: 'setting', name: 'net.netfilter.nf_conntrack_tcp_be_liberal', value: '1' },
  // With 2, the default, an entry made while nobody listened for events never has any: touching it, and so adopting it,
  // would be silent (nf_conntrack_in() in net/netfilter/nf_conntrack_core.c, nf_ct_ecache_ext_add()).
  { kind: 'setting', name: 'net.netfilter.nf_conntrack_events', value: '1' },
];

/** In the order in which they are put: MACs before addresses, so that who learns an address reaches it. Taken in the other order. */
export const partsOf = ({ legs }: Plan): readonly Part[] => [
  ...SETTINGS,
  ...legs.map(({ device, mac }): Part => ({ kind: 'group', device, mac })),
  ...legs.flatMap(addressesOf),
  ...legs.flatMap(waysOf),
];

/**
 * An IPv4 address has no subnet of its own: whichever is there first of a subnet would be the source of this node's own
 * connections (inet_select_addr() in net/ipv4/devinet.c), and answers to a shared one go by the hash. An IPv6 one is deprecated for that
 * (`isDeprecated`).
 */
const addressesOf = ({ device, mac, delivery, addresses }: Leg): readonly Part[] => [
  ...(delivery === 'igmp' ? [{ kind: 'address', device, address: groupOfMac(mac) } as const] : []),
  ...addresses.map((text): Part => {
    const subnet = subnetOf(text);
    if (familyOf(text) === 'ip6') return { kind: 'address', device, address: text };
    const broadcast = subnet.prefix < 31 ? broadcastAddress(subnet) : undefined;
    return { kind: 'address', device, address: `${subnet.address}/32`, broadcast };
  }),
];

const waysOf = ({ device, addresses }: Leg): readonly Part[] =>
  addresses
    .map(subnetOf)
    .filter(({ address, prefix }) => familyOf(address) === 'ip' && prefix < 32)
    .map((subnet) => ({ kind: 'way', device, network: subnetText(subnet), source: subnet.address }));

const subnetOf = (text: string): Subnet => {
  const [address = '', prefix] = text.split('/');
  return { address, prefix: Number(prefix) };
};

/** Whether the address has to be deprecated: no new connection of this node's own begins with it while there is another. */
export const isDeprecated = ({ address }: SharedAddress): boolean => familyOf(address) === 'ip6';

export const isOnDevice = (part: Part): part is DevicePart => part.kind !== 'setting';

/** Whether both are the same thing at the same place; of a setting, whatever its value. */
export const isSame = (one: Part, other: Part): boolean => keyOf(one) === keyOf(other);

export const keyOf = (part: Part): string => {
  switch (part.kind) {
    case 'setting':
      return `setting ${part.name}`;
    case 'group':
      return `group ${part.device} ${part.mac}`;
    case 'address':
      return `address ${part.device} ${part.address}`;
    case 'way':
      return `way ${part.device} ${part.network}`;
  }
};

/** For messages, without the interface: `address 192.168.0.5/32`. */
export const partText = (part: Part): string => {
  switch (part.kind) {
    case 'setting':
      return `${part.name}=${part.value}`;
    case 'group':
      return `MAC ${part.mac}`;
    case 'address':
      return `address ${part.address}`;
    case 'way':
      return `route to ${part.network}`;
  }
};
