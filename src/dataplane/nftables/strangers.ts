import type { Family } from '../family.ts';
import { VRRP_V3_ADVERTISEMENT } from '../heard.ts';
import { heardOn, SENDERS, VRRP } from '../owned.ts';
import type { Leg, Plan, SyncLink } from '../plan.ts';
import { chain } from './expressions.ts';

/**
 * Rules that keep in mind who says what only this cluster's nodes should say. They drop nothing: the agent reads the sets, and knows
 * which of it is the peers' own.
 */

/** How long something stays in mind: more than two of the agent's looks. */
const KEPT = '5s';

const kept = (name: string, comment: string, type: string, size: number): string => `\
  set ${name} {
    comment "${comment}"
    type ${type}
    size ${size}
    flags dynamic,timeout
    timeout ${KEPT}
  }
`;

/** Who says by ARP or neighbour discovery that a shared address, or with the shared MAC another one, is his. */
export const neighbourSets = (leg: Leg, families: readonly Family[]): string =>
  families
    .map((family) =>
      kept(
        heardOn(leg.label, family),
        'who says that an address is his which is shared, or that another one has the shared MAC',
        `ether_addr . ${family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'}`,
        1024,
      ),
    )
    .join('');

/** The chain that what neighbours say of themselves goes through. */
export const neighbourChain = (leg: Leg, families: readonly Family[]): string =>
  chain(`${leg.label}_neighbours`, [...arpRules(leg), ...(families.includes('ip6') ? ndRules(leg) : [])]);

/** What brings it there, and leads on behind the rule. */
export const neighbourJumps = (leg: Leg, families: readonly Family[]): readonly string[] => [
  `meta protocol arp jump ${leg.label}_neighbours`,
  ...(families.includes('ip6')
    ? [`icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } jump ${leg.label}_neighbours`]
    : []),
];

const arpRules = (leg: Leg): readonly string[] => {
  const keep = `update @${heardOn(leg.label, 'ip')} { ether saddr . arp saddr ip }`;
  return [
    `arp saddr ip @shared_ip ${keep}`,
    // A probe has no address yet (RFC 5227, 2.1.1).
    `arp saddr ip != @shared_ip arp saddr ip != 0.0.0.0 arp saddr ether ${leg.mac} ${keep}`,
  ];
};

/** The options are where RFC 4861, 4.3 and 4.4, has them if there is no other before. Bits. */
const ndRules = (leg: Leg): readonly string[] => {
  const keep = `update @${heardOn(leg.label, 'ip6')} { ether saddr . ip6 saddr }`;
  const mac = `0x${leg.mac.replaceAll(':', '')}`;
  const other = `ip6 saddr != @shared_ip6 ip6 saddr != ::`;
  return [
    `ip6 saddr @shared_ip6 ${keep}`,
    `icmpv6 type nd-neighbor-advert @th,192,16 0x0201 @th,208,48 ${mac} ${other} ${keep}`,
    `icmpv6 type nd-neighbor-solicit @th,192,16 0x0101 @th,208,48 ${mac} ${other} ${keep}`,
  ];
};

/** Who sends advertisements with our VRIDs: version and type, VRID, priority and number of addresses (RFC 5798, 5.1). */
export const vrrpSet = (plan: Plan): string =>
  plan.vrrp === undefined
    ? ''
    : kept(VRRP.name, 'who speaks VRRP with our VRIDs', 'ipv4_addr . inet_service . inet_service', 4096);

/** nft knows no VRRP; the first four bytes are read as ports would be. Another version than ours harms nobody: it isn't understood. */
export const vrrpRules = ({ vrrp }: Plan): readonly string[] => {
  if (vrrp === undefined) return [];
  const vrids = `${VRRP_V3_ADVERTISEMENT + vrrp.first}-${VRRP_V3_ADVERTISEMENT + vrrp.last}`;
  return [
    `iifname "${vrrp.device}" ip protocol 112 th sport ${vrids} update @${VRRP.name} { ip saddr . th sport . th dport }`,
  ];
};

export const sendersSet: string = kept(
  SENDERS.name,
  "who sends to the synchronisation's ports and is no peer",
  'ipv4_addr',
  1024,
);

export const sendersRule = ({ device }: SyncLink): string =>
  `iifname "${device}" meta nfproto ipv4 update @${SENDERS.name} { ip saddr }`;
