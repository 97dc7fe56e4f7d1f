import { LEG_ETHER_TYPE } from '../../cluster/leg-hearing.ts';
import type { Family } from '../family.ts';
import { chain, EXEMPT, SORTED, UNDECIDED } from './expressions.ts';

/**
 * What isn't dropped though another node filters its bucket: the node's own addresses are its own affair, broadcasts and
 * multicasts (VRRP) are for every node.
 */
export const exempt = (family: Family): string =>
  `${family} daddr != @shared_${family} fib daddr type { local, broadcast, multicast } goto accepted`;

/**
 * The frames by which the agents know that the switch delivers what is sent to a shared MAC: theirs alone take them. By `meta protocol`:
 * of a frame with a priority tag `ether type` is the tag's (nft_payload_copy_vlan() in net/netfilter/nft_payload.c).
 */
export const LEG_FRAMES = `meta protocol 0x${LEG_ETHER_TYPE.toString(16)} accept`;

/** What is done with a packet whose bucket this node filters. */
export const FILTERED = `counter meta priority set ${SORTED} accept comment "filtered by this node"`;

/** What is done with one whose bucket another node filters, unless it is exempt. */
export const FOREIGN = 'counter drop comment "another node filters these"';

/** A packet that isn't exempt, as one to its destination was found not to be a moment ago. */
export const isElsewhere = (family: Family): string => `${family} daddr @elsewhere_${family}`;

/**
 * The chains for packets whose bucket is known, or known not to matter. Asking the routing table is dear, so it is asked once in
 * a while about each destination of foreign packets, and not for each of these.
 */
export const verdictChains = (families: readonly Family[]): string =>
  [
    chain('accepted', [`meta priority set ${EXEMPT} accept`]),
    chain('undecided', [
      `meta priority set ${UNDECIDED} accept comment "fragments: decided when they are put together"`,
    ]),
    ...families.flatMap((family) => [
      chain(`foreign_${family}`, [
        `${family} daddr @shared_${family} ${FOREIGN}`,
        `${isElsewhere(family)} ${FOREIGN}`,
        exempt(family),
        `add @elsewhere_${family} { ${family} daddr }`,
        FOREIGN,
      ]),
      chain(`decide_${family}`, [`meta priority != @owned goto foreign_${family}`, FILTERED]),
    ]),
  ].join('');

/** What `isElsewhere` knows. */
export const elsewhereSet = (family: Family): string => `\
  set elsewhere_${family} {
    comment "destinations of foreign packets that were no address of this node a moment ago"
    type ${family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'}
    size 65535
    flags dynamic,timeout
    timeout 5s
  }
`;
