import { FAMILIES_OF_IP, type Family } from '../family.ts';
import { TABLE } from '../owned.ts';
import type { Leg, Plan } from '../plan.ts';
import { exempt } from './exempt.ts';
import { anyOf, chain, classid, ERROR, elements, UNDECIDED } from './expressions.ts';
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
  // The shared MAC isn't the interface's own; the kernel forwards only what was sent to it alone.
  const toHost = [`ether daddr ${anyOf(plan.legs.map(({ mac }) => mac))} meta pkttype set host`];
  return `
table netdev ${TABLE} {
${ownedSet(plan, owned)}${families.map((family) => sharedSet(plan, family)).join('')}\
${families.map((family) => serversSet(plan, family) + translatedMaps(plan, family)).join('')}\
${families.map((family) => sortingChains(plan, family, 'ingress')).join('')}\
${families.map((family) => translatedChains(plan, family, 'packet') + quotedChains(plan, family)).join('')}\
${chain('accepted', [...toHost, 'meta priority set none accept'])}\
${chain('undecided', [...toHost, `meta priority set ${UNDECIDED} accept comment "fragments: decided when they are put together"`])}\
${chain('decide', ['meta priority != @owned goto foreign', 'counter goto accepted comment "filtered by this node"'])}\
${chain('foreign', [...exempt(plan, families), 'counter drop comment "another node filters these"'])}\
${chain('other_protocols', otherProtocols(plan))}\
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
  const toFamilies = families.map((family) => `${family} : goto ${leg.label}_${family}`);
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
    chain(leg.label, [
      `type filter hook ingress device "${leg.device}" priority -500; policy accept;`,
      `meta protocol vmap ${anyOf(toFamilies)}`,
      'goto other_protocols',
    ]),
  ].join('');
};

/** Neighbour discovery is for every node. */
const ND =
  'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect }';

const otherProtocols = ({ legs }: Plan): readonly string[] => [
  `ether daddr != ${anyOf(legs.map(({ mac }) => mac))} accept`,
  // Taken for sent to this node, an answer confirms the neighbour, and one to a unicast MAC is looked at at all; arp_rcv() and
  // arp_process() in net/ipv4/arp.c.
  'meta protocol arp meta pkttype set host accept',
  'counter drop comment "no ARP, nor a protocol that is sorted, to a shared MAC"',
];
