import type { Family } from '../family.ts';
import type { Plan } from '../plan.ts';

/** `jhash ip saddr mod 64 seed 0xdeadbeef` */
export const hash = ({ buckets, seed }: Pick<Plan, 'buckets' | 'seed'>, field: string): string =>
  `jhash ${field} mod ${buckets} seed 0x${seed.toString(16)}`;

/** nft's notation of a priority: two hexadecimal numbers. */
export const classid = (bucket: number): string => `0:${bucket.toString(16)}`;

/** Kept in the priority of a packet whose bucket only the reassembled packet tells. No bucket has such a number. */
export const UNDECIDED = 'fffe:1';

/** Kept in the priority of a packet whose bucket this node filters. */
export const SORTED = 'fffe:2';

/** The same of one that is let in whatever its bucket is. What comes in on a leg with neither nobody has sorted. */
export const EXEMPT = 'fffe:3';

/** A packet that is a part of one, the first included. */
export const FRAGMENT: Readonly<Record<Family, string>> = {
  ip: 'ip frag-off & 0x3fff != 0',
  ip6: 'exthdr frag exists',
};

/** nft's words for ICMP of the family. */
export const ICMP: Readonly<Record<Family, 'icmp' | 'icmpv6'>> = { ip: 'icmp', ip6: 'icmpv6' };

/** ICMP errors that quote a packet, whose header begins 8 bytes into the message. IPv4: without options. */
export const ERROR: Readonly<Record<Family, string>> = {
  ip: 'icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,64,8 0x45',
  ip6: 'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }',
};

/** Neighbour discovery is for every node. */
export const ND =
  'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect }';

/** The quoted packet's fields, as nft reads them behind the error's own IP header. Bits. */
export interface Quoted {
  readonly protocol: string;
  readonly destination: string;
  readonly sourcePort: string;
  readonly destinationPort: string;
  /** Its first byte where it is ICMP itself, and that of an echo request. */
  readonly icmpType: string;
  readonly echoRequest: number;
  readonly icmpId: string;
  readonly icmpNumber: number;
}

/** RFC 792 and RFC 4443 (8 bytes), RFC 791 (20 bytes) and RFC 8200 (40 bytes, no extension headers). */
export const QUOTED: Readonly<Record<Family, Quoted>> = {
  ip: {
    protocol: '@th,136,8',
    destination: '@th,192,32',
    sourcePort: '@th,224,16',
    destinationPort: '@th,240,16',
    icmpType: '@th,224,8',
    echoRequest: 8,
    icmpId: '@th,256,16',
    icmpNumber: 1,
  },
  ip6: {
    protocol: '@th,112,8',
    destination: '@th,256,128',
    sourcePort: '@th,384,16',
    destinationPort: '@th,400,16',
    icmpType: '@th,384,8',
    echoRequest: 128,
    icmpId: '@th,416,16',
    icmpNumber: 58,
  },
};

/** `{ a, b }` */
export const anyOf = (values: readonly string[]): string => `{ ${values.join(', ')} }`;

/** `{ "eth1", "eth2" }` */
export const devices = (names: readonly string[]): string => anyOf(names.map((name) => `"${name}"`));

/** The line of a set or map that says what it holds; none if it is empty. */
export const elements = (values: readonly string[]): string =>
  values.length === 0 ? '' : `\n    elements = ${anyOf(values)}`;

/** A chain, or nothing if it has no rules. */
export const chain = (name: string, rules: readonly string[]): string =>
  rules.length === 0 ? '' : `  chain ${name} {\n${rules.map((rule) => `    ${rule}`).join('\n')}\n  }\n`;

/** A rule that sends packets elsewhere by their destination; none if there is nowhere. One address alone needs no map: cheaper. */
export const byDestination = (
  family: Family,
  targets: readonly { readonly to: string; readonly chain: string }[],
): readonly string[] => {
  const [only, ...more] = targets;
  if (only === undefined) return [];
  return more.length === 0
    ? [`${family} daddr ${only.to} goto ${only.chain}`]
    : [`${family} daddr vmap ${anyOf(targets.map((target) => `${target.to} : goto ${target.chain}`))}`];
};
