import { PROTOCOL_NUMBERS } from '../../cluster/protocols.ts';
import type { PublishedService } from '../../config/types.ts';
import { type Family, familyOf } from '../family.ts';
import type { Plan } from '../plan.ts';
import { hexadecimal } from './address-bytes.ts';
import { elements, QUOTED } from './expressions.ts';

/** The sets of the servers' ends of published services: servers_ip, servers_ip6. */
export const SERVERS = 'servers';

/** The servers of published services, each once. */
export const serversOf = (plan: Plan, family: Family): readonly string[] => [
  ...new Set(servicesOf(plan, family).map(({ to }) => to)),
];

/** The set of their ends; none without services. */
export const serversSet = (plan: Plan, family: Family): string => {
  const services = servicesOf(plan, family);
  if (services.length === 0) return '';
  const ends = services.map(({ protocol, to, toPorts }) => `${protocol} . ${to} . ${portsText(toPorts)}`);
  return `\
  set ${SERVERS}_${family} {
    comment "published services, as they are behind the translation"
    type inet_proto . ${family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'} . inet_service
    flags interval${elements(ends)}
  }
`;
};

/**
 * Rules for ICMP errors about their flows. One rule a service: a set's key can't be made of what is quoted.
 *
 * @param first rules that come before those of what a server was sent, given a match of errors about that
 */
export const quotedServices = (
  plan: Plan,
  family: Family,
  first: (about: string) => readonly string[],
): readonly string[] => {
  const quoted = QUOTED[family];
  return servicesOf(plan, family).flatMap(({ protocol, to, toPorts }) => {
    const number = `${quoted.protocol} ${PROTOCOL_NUMBERS[protocol]}`;
    const server = `${quoted.destination} ${hexadecimal(to)} ${quoted.destinationPort} ${portsText(toPorts)}`;
    return [
      ...first(`${number} ${server}`),
      `${number} ${server} goto by_destination_${family}`,
      `${number} ${family} daddr ${to} ${quoted.sourcePort} ${portsText(toPorts)} goto by_quoted_${family}`,
    ];
  });
};

/** Translates what is published on a shared address, for clients on any of `devices`; none if nothing is. */
export const publishing = (plan: Plan, devices: string): string => {
  const rules = plan.services.flatMap(({ protocol, address, ports, to, toPorts }) => {
    if (address === undefined) return [];
    const family = familyOf(address);
    const server = family === 'ip' ? to : `[${to}]`;
    // A range keeps its ports: the kernel would choose any of the range for each.
    const target = toPorts.first === toPorts.last ? `${server}:${toPorts.first}` : server;
    const match = `iifname ${devices} ${family} daddr ${address} ${protocol} dport ${portsText(ports)}`;
    return [`    ${match} dnat ${family} to ${target}`];
  });
  return rules.length === 0
    ? ''
    : `\
  chain publish {
    type nat hook prerouting priority dstnat; policy accept;
${rules.join('\n')}
  }
`;
};

const servicesOf = ({ services }: Plan, family: Family): readonly PublishedService[] =>
  services.filter(({ to }) => familyOf(to) === family);

const portsText = ({ first, last }: PublishedService['ports']): string =>
  first === last ? String(first) : `${first}-${last}`;
