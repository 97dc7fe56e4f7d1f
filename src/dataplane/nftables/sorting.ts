import type { Family } from '../family.ts';
import type { Leg, Plan } from '../plan.ts';
import { byDestination, chain, FRAGMENT, hash, QUOTED } from './expressions.ts';
import { reflectedAnswers, reflectedChains, reflectedErrors } from './reflection.ts';
import { quotedServices, SERVERS, serversOf } from './servers.ts';
import { translatedAddresses } from './translated.ts';
import { exempt } from './verdicts.ts';

/**
 * Which packet is sorted. `packet`: as it comes in; `error`: an ICMP error, which goes with the flow that it quotes, as
 * the answer to what is quoted would; `reassembled`: one that came in fragments.
 */
export type Sorted = 'packet' | 'error' | 'reassembled';

/**
 * The rules that put a packet that came in on a leg into its bucket, all of one family. Both directions of a flow come
 * to the same one: see `rankedLegs` and `bucketOfFlow`, which says the same of conntrack's entries.
 */
export const sortingRules = (plan: Plan, leg: Leg, family: Family, sorted: Sorted): readonly string[] => {
  const usual = usualEnd(leg);
  const chainOf = { source: bySource(family, sorted), destination: `by_destination_${family}` };
  return [
    ...exceptions(plan, leg, family, sorted),
    `goto ${usual === undefined ? `ambiguous_${family}` : chainOf[usual]}`,
  ];
};

/**
 * Which end of a packet is hashed unless it is an exception by its destination; undefined: neither. Inside it is the source, and
 * outside, where the rest of the world is, the destination.
 */
export const usualEnd = (leg: Leg): 'source' | 'destination' | undefined => {
  if (hasNetworks(leg)) return 'source';
  return leg.ambiguous ? undefined : 'destination';
};

/** The rules of those whose bucket isn't the usual one, or can't be told before more is known. */
export const exceptions = (plan: Plan, leg: Leg, family: Family, sorted: Sorted): readonly string[] => [
  ...services(plan, leg, family, sorted),
  ...towardsFirewall(plan, leg, family, sorted),
  ...towardsNetworks(leg, family, sorted),
];

/** The chains that those rules go to, on ingress or where fragments have been put together. */
export const sortingChains = (plan: Plan, family: Family, where: 'ingress' | 'reassembled'): string => {
  // Of a fragment it has been seen on ingress.
  const exempted = where === 'ingress' ? [exempt(family)] : [];
  return [
    chain(`by_source_${family}`, [sortBy(plan, family, `${family} saddr`)]),
    chain(`by_destination_${family}`, [sortBy(plan, family, `${family} daddr`)]),
    ...(where === 'ingress'
      ? [chain(`by_quoted_${family}`, [sortBy(plan, family, QUOTED[family].destination)])]
      : []),
    reflectedChains(plan, family, where),
    chain(`earlier_leg_${family}`, [
      `${family} daddr @shared_${family} goto by_source_${family}`,
      `goto by_destination_${family}`,
    ]),
    chain(`same_leg_${family}`, [
      `${family} daddr @shared_${family} goto by_source_${family}`,
      ...exempted,
      'counter drop comment "comes in and leaves by one interface: neither end is hashed in both directions"',
    ]),
    chain(`ambiguous_${family}`, [
      ...exempted,
      'counter drop comment "between two interfaces without networks: neither end is hashed in both directions"',
    ]),
  ].join('');
};

const sortBy = (plan: Plan, family: Family, field: string): string =>
  `meta priority set ${hash(plan, field)} goto decide_${family}`;

/**
 * Flows of published services go by the client: what comes from a server's port by its destination, unless that is what the client was
 * translated to.
 */
const services = (plan: Plan, leg: Leg, family: Family, sorted: Sorted): readonly string[] => {
  const hosts = serversOf(plan, family);
  if (hosts.length === 0) return [];
  if (sorted === 'error') return quotedServices(plan, family, (about) => reflectedErrors(leg, family, about));
  const from = `meta l4proto . ${family} saddr . th sport`;
  const to = `meta l4proto . ${family} daddr . th dport`;
  const servers = `@${SERVERS}_${family}`;
  const parts = ['saddr', 'daddr'].map(
    (field) => `${FRAGMENT[family]} ${family} ${field} { ${hosts.join(', ')} } goto undecided`,
  );
  return [
    ...(sorted === 'packet' ? parts : []),
    ...reflectedAnswers(leg, family, from),
    `${from} ${servers} ${to} != ${servers} goto by_destination_${family}`,
    `${to} ${servers} ${from} != ${servers} goto by_source_${family}`,
  ];
};

/**
 * What is sent to a shared address. Inside these are among the networks of the legs, and the chains for those see to
 * it: most packets there are for others.
 */
const towardsFirewall = (plan: Plan, leg: Leg, family: Family, sorted: Sorted): readonly string[] => {
  if (leg.side === 'inside' && sorted !== 'error') return [];
  const translated = leg.side === 'inside' ? [] : translatedAddresses(plan, family);
  const chainOf = (address: string): string => {
    const index = translated.findIndex((one) => one.address === address);
    const name = translated[index]?.name;
    return name === undefined
      ? bySource(family, sorted)
      : `${sorted === 'error' ? 'quoted' : 'translated'}_${name}`;
  };
  return byDestination(
    family,
    plan.shared[family].map((address) => ({ to: address, chain: chainOf(address) })),
  );
};

const towardsNetworks = (leg: Leg, family: Family, sorted: Sorted): readonly string[] => {
  if (usualEnd(leg) === 'destination') return [];
  const earlier = sorted !== 'error' && hasNetworks(leg) ? 'earlier_leg' : 'by_destination';
  return byDestination(family, [
    ...leg.before[family].map((network) => ({ to: network, chain: `${earlier}_${family}` })),
    ...leg.networks[family].map((network) => ({ to: network, chain: `same_leg_${family}` })),
  ]);
};

const bySource = (family: Family, sorted: Sorted): string =>
  sorted === 'error' ? `by_quoted_${family}` : `by_source_${family}`;

const hasNetworks = ({ networks }: Leg): boolean => networks.ip.length + networks.ip6.length > 0;
