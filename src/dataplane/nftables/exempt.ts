import { contains, parseSubnet } from '../../config/subnet.ts';
import type { Families, Family } from '../family.ts';
import type { Plan } from '../plan.ts';
import { anyOf, chain } from './expressions.ts';

/** What is for every node in any case: of IPv4 and IPv6 themselves. */
const MULTICAST: Readonly<Record<Family, readonly string[]>> = {
  ip: ['224.0.0.0/4', '255.255.255.255'],
  ip6: ['ff00::/8', 'fe80::/10'],
};

/**
 * What isn't dropped though another node filters its bucket: the node's own addresses are its own affair, broadcasts and
 * multicasts (VRRP) are for every node. Asking the routing table is dear, so it is asked only about what is near: networks in
 * which this node has an address.
 */
export const exempt = ({ near }: Plan, families: readonly Family[]): readonly string[] =>
  families.map((family) => {
    const where = near === undefined ? '' : ` ${family} daddr ${nearOf(near, family)}`;
    return `${family} daddr != @shared_${family}${where} ${IS_LOCAL} goto accepted`;
  });

/** Where those go of which the hash says that another node filters them: most of what comes in. */
export const foreignChains = (plan: Plan, families: readonly Family[]): string =>
  families
    .map((family) =>
      chain(`foreign_${family}`, [
        ...(plan.near === undefined ? [] : [`${family} daddr != ${nearOf(plan.near, family)} ${DROP}`]),
        `${family} daddr @elsewhere_${family} ${DROP}`,
        `${family} daddr != @shared_${family} ${IS_LOCAL} goto accepted`,
        `add @elsewhere_${family} { ${family} daddr }`,
        DROP,
      ]),
    )
    .join('');

/** What is near, but no address of this node: it is asked about once in a while, and not for each packet. */
export const elsewhereSet = (family: Family): string => `\
  set elsewhere_${family} {
    comment "destinations that were no address of this node a moment ago"
    type ${family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'}
    size 65535
    flags dynamic,timeout
    timeout 5s
  }
`;

const IS_LOCAL = 'fib daddr type { local, broadcast, multicast }';
const DROP = 'counter drop comment "another node filters these"';

const nearOf = (near: Families, family: Family): string =>
  anyOf(merged([...MULTICAST[family], ...near[family]]));

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
