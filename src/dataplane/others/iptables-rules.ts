import type { Ports } from '../../config/types.ts';
import { type Destinations, type Match, type NatRule, reachable, type Target } from './destination-nat.ts';

/** What iptables' table nat does to the destinations of packets that come in. @param listing of `iptables-save -t nat` */
export const destinationsOfIptables = (listing: string, program = 'iptables'): Destinations =>
  reachable(
    ['PREROUTING'],
    listing.split('\n').flatMap((line) => natRule(line) ?? []),
    (chain) => `${program}, table nat, chain ${chain}`,
  );

const natRule = (line: string): NatRule | undefined => {
  const [append, chain, ...words] = line.split(' ');
  if (append !== '-A' || chain === undefined) return undefined;
  const jump = optionOf(words, '-j') ?? optionOf(words, '-g');
  return {
    chain,
    match: matchOf(words),
    targets: jump === 'DNAT' ? targetsOf(optionOf(words, '--to-destination') ?? '') : [],
    jumps: jump === undefined ? [] : [jump],
  };
};

const matchOf = (words: readonly string[]): Match => {
  const [device, protocol, address] = ['-i', '-p', '-d'].map((option) => optionOf(words, option));
  const ports = optionOf(words, '--dport') ?? optionOf(words, '--dports');
  return {
    devices: device === undefined ? undefined : [device.replace(/\+$/, '*')],
    protocols: protocol === undefined ? undefined : [protocol],
    addresses: address === undefined ? undefined : [address.replace(/\/(32|128)$/, '')],
    ports: ports?.split(',').map(portsOf),
  };
};

/** That of an option, unless it is negated. */
const optionOf = (words: readonly string[], option: string): string | undefined => {
  const at = words.indexOf(option);
  return at < 0 || words[at - 1] === '!' ? undefined : words[at + 1];
};

/** `192.168.0.80`, `192.168.0.80:8080`, `192.168.0.80-192.168.0.89:8080-8090`, `[fd00::1]:80` */
const targetsOf = (destination: string): readonly Target[] => {
  const [, bracketed, bare, port] =
    /^(?:\[([^\]]+)\]|([^[]+?))(?::(\d+)[-\d/]*)?$/.exec(
      /^[^[]*:[^[]*:/.test(destination) ? `[${destination}]` : destination,
    ) ?? [];
  const addresses = (bracketed ?? bare ?? '').split('-').filter((address) => address !== '');
  return addresses.map((to) => ({ to, toPort: port === undefined ? undefined : Number(port) }));
};

const portsOf = (text: string): Ports => {
  const [first = '', last = first] = text.split(':');
  return { first: Number(first), last: Number(last) };
};
