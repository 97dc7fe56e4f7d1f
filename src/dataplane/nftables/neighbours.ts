import type { Leg, Plan } from '../plan.ts';
import { chain } from './expressions.ts';

/**
 * Whoever asks for a shared address, or is told or asked by it, learns the shared MAC. On egress and not in a table arp,
 * since that doesn't see what programs (arping, keepalived) send through packet sockets. Where the interface's own MAC isn't
 * known, nothing of IPv6 is announced.
 */
export const announcing = (plan: Plan, leg: Leg): string =>
  chain(`announce_${leg.label}`, [
    `type filter hook egress device "${leg.device}" priority 0; policy accept;`,
    `arp saddr ip @shared_ip arp saddr ether set ${leg.mac}`,
    ...(plan.shared.ip6.length === 0 ? [] : ndRules(leg, plan.macs.get(leg.device))),
  ]);

/** Where neighbour discovery has the sender's MAC: RFC 4861, 4.1, 4.3, 4.4 and 4.6.1. Bits. */
const ND = [
  // An advertisement's option is the target's MAC (2), a solicitation's the source's (1); both follow an address.
  { type: 'nd-neighbor-advert', option: '@th,192,16 0x0201', mac: '@th,208,48' },
  { type: 'nd-neighbor-solicit', option: '@th,192,16 0x0101', mac: '@th,208,48' },
  { type: 'nd-router-solicit', option: '@th,64,16 0x0101', mac: '@th,80,48' },
] as const;

/** The last 16 of the bits that a receiver "MUST ignore" in each of the three (RFC 4861). */
const RESERVED = '@th,48,16';

/**
 * nft doesn't mend the checksum of what it writes into an ICMPv6 message. It stays right if another word of the message
 * changes by as much the other way, and there is one that nobody reads.
 */
const ndRules = ({ mac }: Leg, ownMac: string | undefined): readonly string[] => [
  // The agent's announcements say it already.
  ...ND.map(({ type, option, mac: at }) => `${matching(type, option)} ${at} ${number(mac)} accept`),
  ...(ownMac === undefined
    ? []
    : ND.map(({ type, option, mac: at }) => {
        return `${matching(type, option)} ${at} ${number(ownMac)} ${at} set ${number(mac)} ${RESERVED} set ${difference(ownMac, mac)} accept`;
      })),
  // Neither a MAC of its own that it has got since, nor what another program has put there, is to be learnt.
  ...ND.map(
    ({ type, option }) =>
      `${matching(type, option)} counter drop comment "has not the MAC that the interface had at the start"`,
  ),
];

const matching = (type: string, option: string): string =>
  `ip6 saddr @shared_ip6 icmpv6 type ${type} ${option}`;

const number = (mac: string): string => `0x${mac.replaceAll(':', '')}`;

/** What a word has to grow by for the ones' complement sum (RFC 1071) when `before` becomes `after` in the message. */
const difference = (before: string, after: string): string => {
  const sum = (mac: string): number =>
    [0, 4, 8].reduce(
      (total, at) => total + Number.parseInt(mac.replaceAll(':', '').slice(at, at + 4), 16),
      0,
    );
  const modulus = 0xffff;
  const value = (((sum(before) - sum(after)) % modulus) + modulus) % modulus;
  return `0x${value.toString(16)}`;
};
