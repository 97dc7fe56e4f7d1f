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
    ...(plan.shared.ip6.length === 0 ? [] : ndRules(leg, plan.macs?.get(leg.device))),
  ]);

/**
 * What other nodes announce of shared addresses is no news to this one, whose addresses they are too: its kernel would log each
 * (ndisc_recv_na() in net/ipv6/ndisc.c, and with log_martians ip_handle_martian_source() in net/ipv4/route.c). What somebody else
 * says of them, who doesn't have the shared MAC, it is to hear.
 */
export const peersAnnouncements = (plan: Plan, { mac }: Leg): readonly string[] => [
  `meta pkttype broadcast ${gratuitousArp('@shared_ip', mac)} counter drop comment "announced by another node"`,
  ...(plan.shared.ip6.length === 0
    ? []
    : [
        `meta pkttype multicast ${matching(ADVERTISEMENT.type, ADVERTISEMENT.option)} ${ADVERTISEMENT.mac} ${number(mac)} counter drop comment "announced by another node"`,
      ]),
];

/** nft's match of a request for one of the addresses by one of them, with that MAC. */
export const gratuitousArp = (addresses: string, mac: string): string =>
  `arp operation request arp saddr ip ${addresses} arp daddr ip ${addresses} arp saddr ether ${mac}`;

/** Where neighbour discovery has the sender's MAC: RFC 4861, 4.1, 4.3, 4.4 and 4.6.1. Bits. */
const ADVERTISEMENT = { type: 'nd-neighbor-advert', option: '@th,192,16 0x0201', mac: '@th,208,48' } as const;
const ND = [
  // An advertisement's option is the target's MAC (2), a solicitation's the source's (1); both follow an address.
  ADVERTISEMENT,
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
