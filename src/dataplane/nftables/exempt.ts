import { contains, parseSubnet } from '../../config/subnet.ts';
import type { Family } from '../family.ts';
import type { Plan } from '../plan.ts';
import { anyOf } from './expressions.ts';

/** What is for every node in any case: of IPv4 and IPv6 themselves. */
const MULTICAST: Readonly<Record<Family, readonly string[]>> = {
  ip: ['224.0.0.0/4', '255.255.255.255'],
  ip6: ['ff00::/8', 'fe80::/10'],
};

/**
 * What isn't dropped though another node filters its bucket. The node's own addresses are its own affair, broadcasts and
 * multicasts (VRRP) are for every node, and frames with a VLAN's tag (not 0, a mere priority) for an interface above this one.
 * Asking the routing table is dear, so it is asked only about what is near: networks in which this node has an address.
 */
export const exempt = ({ near }: Plan, families: readonly Family[]): readonly string[] => [
  // To a MAC of the node's own; broadcasts and multicasts of a VLAN are exempt by their address.
  'meta pkttype host ether type { 8021q, 8021ad } @ll,112,16 & 0x0fff != 0 goto accepted',
  ...families.map((family) => {
    const where =
      near === undefined ? '' : ` ${family} daddr ${anyOf(merged([...MULTICAST[family], ...near[family]]))}`;
    return `${family} daddr != @shared_${family}${where} fib daddr type { local, broadcast, multicast } goto accepted`;
  }),
];

/** Without those that are within others: an interval set takes none twice. */
const merged = (networks: readonly string[]): readonly string[] => {
  const subnets = networks.map((text) => parseSubnet(text.includes('/') ? text : `${text}/32`));
  return networks.filter((_, index) => {
    const one = subnets[index];
    return !subnets.some(
      (other, at) =>
        one !== undefined &&
        other !== undefined &&
        at !== index &&
        contains(other, one) &&
        (other.prefix < one.prefix || at < index),
    );
  });
};
