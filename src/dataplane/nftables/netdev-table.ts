import { FAMILIES_OF_IP, type Family } from '../family.ts';
import { TABLE } from '../owned.ts';
import { type Plan, presentLegs } from '../plan.ts';
import { classid, elements } from './expressions.ts';
import { arrivedCounter, ingressChains } from './ingress.ts';
import { announcing } from './neighbours.ts';
import { serversSet } from './servers.ts';
import { sortingChains } from './sorting.ts';
import { neighbourSets } from './strangers.ts';
import { quotedChains, translatedChains, translatedMaps } from './translated.ts';
import { elsewhereSet, verdictChains } from './verdicts.ts';

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
  const legs = presentLegs(plan);
  return `
table netdev ${TABLE} {
${ownedSet(plan, owned)}${families.map((family) => sharedSet(plan, family) + elsewhereSet(family)).join('')}\
${families.map((family) => serversSet(plan, family) + translatedMaps(plan, family)).join('')}\
${families.map((family) => sortingChains(plan, family, 'ingress')).join('')}\
${families.map((family) => translatedChains(plan, family, 'packet') + quotedChains(plan, family)).join('')}\
${legs.map((leg) => arrivedCounter(leg) + neighbourSets(leg, families)).join('')}\
${verdictChains(families)}${legs.map((leg) => ingressChains(plan, leg, families)).join('')}\
${legs.map((leg) => announcing(plan, leg)).join('')}}
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
