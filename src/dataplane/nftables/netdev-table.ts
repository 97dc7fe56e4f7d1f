import { FAMILIES_OF_IP, type Family } from '../family.ts';
import { TABLE } from '../owned.ts';
import type { Leg, Plan } from '../plan.ts';
import { elsewhereSet, exempt, foreignChains } from './exempt.ts';
import { chain, classid, ERROR, elements, UNDECIDED } from './expressions.ts';
import { announcing } from './neighbours.ts';
import { serversSet } from './servers.ts';
import { sortingChains, sortingRules } from './sorting.ts';
import { quotedChains, translatedChains, translatedMaps } from './translated.ts';

/** What the set of the owned buckets holds after a load. */
export interface Owned {
  readonly buckets: readonly number[];
  /** How long, in milliseconds from the load on; 0: for ever. */
  readonly timeout: number;
}

/**
 * The table that sorts packets into buckets where they come in, before conntrack or anybody else has seen them, and
 * drops those of buckets that are another node's. The bucket's number is kept in the packet's priority, which
 * forwarding overwrites anyway (ip_forward() in net/ipv4/ip_forward.c sets it from the TOS field), and not in the mark,
 * which is the administrator's.
 */
export const netdevTable = (plan: Plan, owned: Owned): string => {
  const families = familiesOf(plan);
  return `
table netdev ${TABLE} {
${ownedSet(plan, owned)}${families.map((family) => sharedSet(plan, family) + elsewhereSet(family)).join('')}\
${families.map((family) => serversSet(plan, family) + translatedMaps(plan, family)).join('')}\
${families.map((family) => sortingChains(plan, family, 'ingress')).join('')}\
${families.map((family) => translatedChains(plan, family, 'packet') + quotedChains(plan, family)).join('')}\
${chain('accepted', ['meta priority set none accept'])}\
${chain('undecided', [`meta priority set ${UNDECIDED} accept comment "fragments: decided when they are put together"`])}\
${families.map((family) => chain(`decide_${family}`, [`meta priority != @owned goto foreign_${family}`, 'counter meta priority set none accept comment "filtered by this node"'])).join('')}\
${foreignChains(plan, families)}\
${plan.legs.map((leg) => legChains(plan, leg, families)).join('')}\
${plan.legs.map((leg) => announcing(plan, leg)).join('')}}
`;
};

/** IPv6 is sorted only where the nodes share an IPv6 address: else no neighbour can have learnt a shared MAC for it. */
export const familiesOf = (plan: Plan): readonly Family[] =>
  FAMILIES_OF_IP.filter((family) => family === 'ip' || plan.shared[family].length > 0);

/** The buckets that this node filters; there is one in each of our tables, with the same elements. */
export const ownedSet = (plan: Plan, { buckets, timeout }: Owned): string => {
  const lasting = timeout === 0 ? '' : ` timeout ${timeout}ms`;
  return `\
  set owned {
    comment "buckets that this node filters; conntrack-ha changes it"
    typeof meta priority
    # One transaction may add as many as it removes, and what has timed out is taken out only once a second.
    size ${plan.buckets * 4}
    flags timeout${elements(buckets.map((bucket) => classid(bucket) + lasting))}
  }
`;
};

/** The addresses that the nodes share. */
export const sharedSet = (plan: Plan, family: Family): string => `\
  set shared_${family} {
    comment "addresses that the nodes share"
    type ${family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'}${elements(plan.shared[family])}
  }
`;

const legChains = (plan: Plan, leg: Leg, families: readonly Family[]): string => {
  const toFamilies = families.map((family) => `meta protocol ${family} goto ${leg.label}_${family}`);
  return [
    ...families.map((family) =>
      chain(`${leg.label}_${family}`, [
        ...(family === 'ip6' ? [`${ND} goto accepted`] : []),
        `${ERROR[family]} goto ${leg.label}_${family}_errors`,
        ...sortingRules(plan, leg, family, 'packet'),
      ]),
    ),
    ...families.map((family) =>
      chain(`${leg.label}_${family}_errors`, sortingRules(plan, leg, family, 'error')),
    ),
    chain(`${leg.label}_to_others`, [
      // The kernel doesn't look at it.
      'meta pkttype other accept',
      // A priority alone is no VLAN.
      'ether type { 8021q, 8021ad } @ll,112,16 & 0x0fff != 0 accept comment "for an interface above this one"',
      ...exempt(plan, families),
      ...toFamilies,
    ]),
    chain(leg.label, [
      `type filter hook ingress device "${leg.device}" priority -500; policy accept;`,
      `ether daddr != ${leg.mac} goto ${leg.label}_to_others`,
      // The shared MAC isn't the interface's own: the kernel forwards, and takes an answer to ARP for a confirmation, only if
      // it was sent to this host alone (ip_forward() in net/ipv4/ip_forward.c, arp_process() in net/ipv4/arp.c).
      'meta pkttype set host',
      ...toFamilies,
      'meta protocol arp accept',
      'counter drop comment "no ARP, nor a protocol that is sorted, to a shared MAC"',
    ]),
  ].join('');
};

/** Neighbour discovery is for every node. */
const ND =
  'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect }';
