import type { Family } from '../family.ts';
import { arrivedOn } from '../owned.ts';
import type { Leg, Plan } from '../plan.ts';
import { chain, ERROR, hash, ICMP, ND } from './expressions.ts';
import { peersAnnouncements } from './neighbours.ts';
import { serversOf } from './servers.ts';
import { exceptions, sortingRules, usualEnd } from './sorting.ts';
import { neighbourChain, neighbourJumps } from './strangers.ts';
import { translatedAddresses } from './translated.ts';
import { exempt, FILTERED, FOREIGN, isElsewhere, LEG_FRAMES } from './verdicts.ts';

/** Compared with the peers', this tells whether packets come in on the leg as they should. */
export const arrivedCounter = (leg: Leg): string => `\
  counter ${arrivedOn(leg.label)} {
    comment "packets of IP to the shared MAC of ${leg.name}"
  }
`;

/** The chains that packets go through as they come in on a leg. */
export const ingressChains = (plan: Plan, leg: Leg, families: readonly Family[]): string => {
  const toFamilies = (counted = '') =>
    families.map((family) => `meta protocol ${family} ${counted}goto ${leg.label}_${family}`);
  return [
    ...families.map((family) => packetChains(plan, leg, family)),
    ...families.map((family) =>
      chain(`${leg.label}_${family}_errors`, sortingRules(plan, leg, family, 'error')),
    ),
    neighbourChain(leg, families),
    chain(`${leg.label}_to_others`, [
      // The kernel doesn't look at it.
      'meta pkttype other accept',
      // A priority alone is no VLAN.
      'ether type { 8021q, 8021ad } @ll,112,16 & 0x0fff != 0 accept comment "for an interface above this one"',
      ...neighbourJumps(leg, families),
      ...peersAnnouncements(plan, leg),
      ...families.map(exempt),
      ...toFamilies(),
    ]),
    chain(leg.label, [
      `type filter hook ingress device "${leg.device}" priority -500; policy accept;`,
      `ether daddr != ${leg.mac} goto ${leg.label}_to_others`,
      // The shared MAC isn't the interface's own: the kernel forwards, and takes an answer to ARP for a confirmation, only if
      // it was sent to this host alone (ip_forward() in net/ipv4/ip_forward.c, arp_process() in net/ipv4/arp.c).
      'meta pkttype set host',
      ...toFamilies(`counter name "${arrivedOn(leg.label)}" `),
      LEG_FRAMES,
      `meta protocol arp goto ${leg.label}_neighbours`,
      'counter drop comment "no ARP, nor a protocol that is sorted, to a shared MAC"',
    ]),
  ].join('');
};

/**
 * Most packets are no exception. Where that can be told from the destination alone, the usual hash comes first, and a foreign packet
 * is dropped after it as soon as its destination is known to be elsewhere.
 */
const packetChains = (plan: Plan, leg: Leg, family: Family): string => {
  const name = `${leg.label}_${family}`;
  const first = [
    ...(family === 'ip6' ? [`${ND} goto accepted`] : []),
    `${ERROR[family]} goto ${name}_errors`,
  ];
  const usual = usualEnd(leg);
  if (usual === undefined || !isToldByDestination(plan, leg, family)) {
    return chain(name, [...first, ...sortingRules(plan, leg, family, 'packet')]);
  }
  const rules = [...first, ...exceptions(plan, leg, family, 'packet')];
  return [
    chain(name, [
      `meta priority set ${hash(plan, `${family} ${usual === 'source' ? 'saddr' : 'daddr'}`)}`,
      `meta priority != @owned goto ${name}_foreign`,
      ...rules,
      FILTERED,
    ]),
    chain(`${name}_foreign`, [
      `${isElsewhere(family)} meta l4proto != ${ICMP[family]} ${FOREIGN}`,
      ...rules,
      `goto foreign_${family}`,
    ]),
  ].join('');
};

/**
 * Whether of packets other than ICMP whose destination is elsewhere none is an exception. Published services are known by the source
 * as well; networks of a leg that comes before aren't this node's own, and still exceptions. With SNAT most of what comes in
 * outside is one: the hash in front would be for nothing.
 */
const isToldByDestination = (plan: Plan, leg: Leg, family: Family): boolean =>
  serversOf(plan, family).length === 0 &&
  (usualEnd(leg) === 'destination'
    ? translatedAddresses(plan, family).length === 0
    : leg.before[family].length === 0);
