import type { Share } from '../../cluster/ranges.ts';
import { type Family, familyOf } from '../family.ts';
import type { Plan } from '../plan.ts';
import { chain, classid, elements, FRAGMENT, ICMP, QUOTED } from './expressions.ts';
import { reflectedAddresses } from './reflection.ts';

/** An address that flows are translated to, and which bucket has which of its ports and ICMP ids. */
export interface TranslatedAddress {
  /** For names of chains and maps: `ip_1`. */
  readonly name: string;
  readonly address: string;
  /** Where buckets have the same ports, all of a group, the first of them. */
  readonly shares: readonly Share[];
}

/** All such addresses of a family that flows to the outside are translated to, in the configuration's order. */
export const translatedAddresses = (plan: Plan, family: Family): readonly TranslatedAddress[] => {
  const shares = plan.legs.flatMap(({ snat }) => snat).filter(({ address }) => familyOf(address) === family);
  const addresses = [...new Set(shares.map(({ address }) => address))];
  return addresses.map((address, index) => ({
    name: `${family}_${index + 1}`,
    address,
    shares: firstOfEachRange(shares.filter((share) => share.address === address)),
  }));
};

/** The maps from ports and from ids to buckets. */
export const translatedMaps = (plan: Plan, family: Family): string =>
  [...translatedAddresses(plan, family), ...reflectedAddresses(plan, family)]
    .map(({ name, address, shares }) => {
      const ranges = shares.map(({ first, last, bucket }) => `${first}-${last} : ${classid(bucket)}`);
      return `\
  map ports_${name} {
    comment "${address}: each bucket translates into ports of its own"
    type inet_service : classid
    flags interval${elements(ranges)}
  }
  map ids_${name} {
    comment "the same for ids of echo requests"
    typeof ${ICMP[family]} id : meta priority
    flags interval${elements(ranges)}
  }
`;
    })
    .join('');

/**
 * Answers to translated flows: the port, or the id, tells the bucket. Services of the firewall are below 1024. Just loaded, the rules
 * count a moment before the maps do (nf_tables_commit() in net/netfilter/nf_tables_api.c): what isn't found then is nobody's.
 *
 * @param stage whether packets come as they are, or fragments have been put together
 */
export const translatedChains = (plan: Plan, family: Family, stage: 'packet' | 'reassembled'): string =>
  translatedAddresses(plan, family)
    .map(({ name, shares }) => {
      const [first, last] = [
        Math.min(...shares.map((share) => share.first)),
        Math.max(...shares.map((share) => share.last)),
      ];
      const bySource = `goto by_source_${family}`;
      const icmp = ICMP[family];
      return chain(`translated_${name}`, [
        // Only the first one has a port.
        ...(stage === 'packet' ? [`${FRAGMENT[family]} goto undecided`] : []),
        `meta l4proto { tcp, udp } meta priority set th dport map @ports_${name} goto decide_${family}`,
        `meta l4proto { tcp, udp } th dport ${first}-${last} counter drop comment "while the rules are being loaded"`,
        `meta l4proto { tcp, udp } ${bySource}`,
        `${icmp} type echo-reply meta priority set ${icmp} id map @ids_${name} goto decide_${family}`,
        `${icmp} type echo-request ${bySource}`,
        'counter drop comment "no flow of this cluster: not TCP, UDP or an echo"',
      ]);
    })
    .join('');

/** ICMP errors about them: the quoted packet left here, so its source port or id is what SNAT gave it. */
export const quotedChains = (plan: Plan, family: Family): string => {
  const quoted = QUOTED[family];
  const icmp = quoted.icmpNumber;
  // IPv4: of a later fragment. IPv6: there the quoted protocol is that of the fragment header.
  const later =
    family === 'ip' ? ['@th,112,16 & 0x1fff != 0 counter drop comment "a fragment has no port"'] : [];
  return translatedAddresses(plan, family)
    .map(({ name }) =>
      chain(`quoted_${name}`, [
        ...later,
        `${quoted.protocol} { 6, 17 } meta priority set ${quoted.sourcePort} map @ids_${name} goto decide_${family}`,
        `${quoted.protocol} ${icmp} ${quoted.icmpType} ${quoted.echoRequest} meta priority set ${quoted.icmpId} map @ids_${name} goto decide_${family}`,
        `${quoted.protocol} { 6, 17, ${icmp} } goto by_quoted_${family}`,
        'counter drop comment "an error about no flow of this cluster"',
      ]),
    )
    .join('');
};

const firstOfEachRange = (shares: readonly Share[]): readonly Share[] =>
  shares.filter(({ first }, index) => shares.findIndex((other) => other.first === first) === index);
