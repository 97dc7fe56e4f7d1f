import { FIRST_PORT } from '../../cluster/ranges.ts';
import { type Family, familyOf } from '../family.ts';
import type { Leg, Plan } from '../plan.ts';
import { chain, QUOTED } from './expressions.ts';
import { SERVERS, serversOf } from './servers.ts';
import type { TranslatedAddress } from './translated.ts';

/**
 * A client reaches a server behind its own leg by the address that this is published on: both ends are translated, so that the
 * server answers the firewall. As with SNAT, the port of the answer tells the bucket, which is that of the client's address.
 */
export const reflectedAddresses = (plan: Plan, family: Family): readonly TranslatedAddress[] =>
  plan.legs.flatMap((leg) => reflectedAddress(leg, family) ?? []);

/** Where what servers behind the leg send to such an address goes; an error about what they were sent likewise. */
export const reflectedAnswers = (leg: Leg, family: Family, from: string): readonly string[] =>
  [reflectedAddress(leg, family)].flatMap((one) =>
    one === undefined
      ? []
      : [
          // The address first: it tells nearly all packets apart, and the set is dear.
          `${family} daddr ${one.address} ${from} @${SERVERS}_${family} goto reflected_${one.name}`,
        ],
  );

/** @param about matches errors that quote what a server was sent */
export const reflectedErrors = (leg: Leg, family: Family, about: string): readonly string[] =>
  [reflectedAddress(leg, family)].flatMap((one) =>
    one === undefined ? [] : [`${about} ${family} daddr ${one.address} goto reflected_quoted_${one.name}`],
  );

/** The chains that those rules go to. What has none of the buckets' ports is the server's own affair with the firewall. */
export const reflectedChains = (plan: Plan, family: Family, where: 'ingress' | 'reassembled'): string =>
  reflectedAddresses(plan, family)
    .map(({ name }) => {
      const otherwise = `goto by_destination_${family}`;
      const answers = chain(`reflected_${name}`, [
        `meta priority set th dport map @ports_${name} goto decide_${family}`,
        `th dport ${FIRST_PORT}-65535 counter drop comment "while the rules are being loaded"`,
        otherwise,
      ]);
      const errors = chain(`reflected_quoted_${name}`, [
        `meta priority set ${QUOTED[family].sourcePort} map @ids_${name} goto decide_${family}`,
        otherwise,
      ]);
      return where === 'ingress' ? answers + errors : answers;
    })
    .join('');

/** A match of what servers behind the leg answer to such flows; undefined: there are none. */
export const reflectedUdp = (leg: Leg, family: Family): string | undefined => {
  const one = reflectedAddress(leg, family);
  return (
    one &&
    `meta l4proto . ${family} saddr . th sport @${SERVERS}_${family} ${family} daddr ${one.address} udp dport ${FIRST_PORT}-65535 iifname "${leg.device}"`
  );
};

/** Which of the packets that leave by `leg` are such flows': they came in by it, and were sent to where a service is published. */
export const isReflected = (plan: Plan, { device }: Leg, family: Family): readonly string[] =>
  serversOf(plan, family).length === 0
    ? []
    : [
        `iifname "${device}" oifname "${device}" ct status dnat meta l4proto . ${family} daddr . th dport @${SERVERS}_${family}`,
      ];

const reflectedAddress = ({ label, reflecting }: Leg, family: Family): TranslatedAddress | undefined => {
  const shares = reflecting.filter(({ address }) => familyOf(address) === family);
  const [first] = shares;
  return first && { name: `${family}_${label}`, address: first.address, shares };
};
