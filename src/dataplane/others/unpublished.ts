import { inNetworks, type Network, parseAddress, parseNetwork } from '../../cluster/address.ts';
import { rankedLegs } from '../../cluster/legs.ts';
import { FIRST_PORT } from '../../cluster/ranges.ts';
import type { Warning } from '../../cluster/warning.ts';
import { portsText } from '../../config/ports.ts';
import { isIpv4, isIpv6, isLinkLocal } from '../../config/subnet.ts';
import {
  type ClusterConfig,
  deviceOf,
  type InterfaceConfig,
  type NodeConfig,
  type Ports,
} from '../../config/types.ts';
import type { LocalAddress } from '../../kernel/links.ts';
import { familyOf } from '../family.ts';
import type { DestinationNat } from './destination-nat.ts';

/**
 * Destinations that another program's rules translate to a server inside, whose answers then meet another node than the
 * questions: what a service that isn't published comes to. None where both go by the client all the same.
 *
 * @param local addresses of this machine: what is translated to itself it answers itself, and so do those that it is connected with
 *   by other interfaces than the cluster's, such as containers
 */
export const unpublished = (
  config: ClusterConfig,
  node: NodeConfig,
  rules: readonly DestinationNat[],
  local: readonly LocalAddress[],
): readonly Warning[] => {
  const shared = sharedOf(config);
  const own = new Set(local.map(({ address }) => address));
  const connected = connectedElsewhere(config, node, local);
  const found = rules
    .filter(({ to }) => isAddress(to) && !shared.includes(to) && !own.has(to))
    .filter((rule) => isTornApart(config, node, rule, connected))
    .flatMap((rule) => frontsOf(rule).map((front) => ({ rule, front })))
    .filter(({ rule, front }) => !isPublished(config, rule, front));
  const warnings = new Map<string, Warning>();
  for (const { rule, front } of found) {
    const one = warning(config, node, rule, front);
    if (!warnings.has(one.object)) warnings.set(one.object, one);
  }
  return [...warnings.values()];
};

/** What a client connects to; undefined: any. */
interface Front {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string | undefined;
  readonly ports: Ports | undefined;
}

const isAddress = (text: string): boolean => isIpv4(text) || isIpv6(text);

const sharedOf = ({ interfaces }: Pick<ClusterConfig, 'interfaces'>): readonly string[] =>
  interfaces.flatMap(({ addresses, snat }) => [...addresses.map(({ address }) => address), ...snat]);

/** What is behind this machine's other interfaces, as far as they have addresses: not what is routed there. */
const connectedElsewhere = (
  config: ClusterConfig,
  node: NodeConfig,
  local: readonly LocalAddress[],
): readonly Network[] => {
  const legs = config.interfaces.map(({ name }) => deviceOf(node, name));
  return local
    .filter(({ device }) => !legs.includes(device))
    .map(({ address, prefix }) => parseNetwork(`${address}/${prefix}`));
};

/** Whether questions that come in by any of the rule's interfaces go by another address than their answers. */
const isTornApart = (
  config: ClusterConfig,
  node: NodeConfig,
  { to, devices }: DestinationNat,
  connected: readonly Network[],
): boolean => {
  const ranked = rankedLegs(config);
  const home = ranked.find(({ side, networks }) => side === 'inside' && isBehind(networks, to, connected));
  if (home === undefined) return false;
  // Of a flow with a network that comes before the server's that end is hashed in both directions, published or not.
  const agreeing = ranked.slice(0, ranked.indexOf(home)).filter(({ side }) => side === 'inside');
  return config.interfaces.some((leg) => !agreeing.includes(leg) && mayComeInBy(node, leg, devices));
};

/** As the kernel routes: where a longer prefix is connected, packets don't go by the leg. */
const isBehind = (networks: readonly string[], text: string, connected: readonly Network[]): boolean => {
  const address = parseAddress(text);
  const behind = networks.map(parseNetwork).filter((network) => inNetworks(address, [network]));
  const longest = Math.max(...behind.map(({ prefix }) => prefix));
  return (
    behind.length > 0 &&
    !inNetworks(
      address,
      connected.filter(({ prefix }) => prefix > longest),
    )
  );
};

const mayComeInBy = (
  node: NodeConfig,
  { name }: InterfaceConfig,
  devices: DestinationNat['devices'],
): boolean =>
  devices === undefined ||
  devices.some((device) =>
    device.endsWith('*')
      ? deviceOf(node, name).startsWith(device.slice(0, -1))
      : deviceOf(node, name) === device,
  );

const frontsOf = ({ protocols, addresses, ports }: DestinationNat): readonly Front[] => {
  const both = (['tcp', 'udp'] as const).filter((one) => protocols === undefined || protocols.includes(one));
  return both.flatMap((protocol) =>
    (addresses ?? [undefined]).flatMap((address) =>
      (ports ?? [undefined]).map((range) => ({ protocol, address, ports: range })),
    ),
  );
};

/** By the server's end, for that is what answers are told by. */
const isPublished = ({ publish }: ClusterConfig, { to, toPort }: DestinationNat, front: Front): boolean => {
  const range = toPort === undefined ? front.ports : { first: toPort, last: toPort };
  return publish.some(
    (one) =>
      one.protocol === front.protocol &&
      one.to === to &&
      range !== undefined &&
      one.toPorts.first <= range.first &&
      range.last <= one.toPorts.last,
  );
};

const warning = (config: ClusterConfig, node: NodeConfig, rule: DestinationNat, front: Front): Warning => {
  const { to, toPort, where } = rule;
  const asked = `${front.protocol} ${end(front.address ?? 'any address', front.ports)}`;
  const server = end(to, toPort === undefined ? undefined : { first: toPort, last: toPort });
  return {
    code: 'unpublished-dnat',
    object: asked,
    text: `${where} translates ${asked} to ${server}, which isn't published: answers go to the node that the server's address is hashed to, so TCP connects a second late or not at all, and UDP of other nodes' servers is dead; ${mend(config, node, rule, front)}`,
  };
};

/** `192.168.1.5:80-90`, `[fd00::5]:80`, `any address` */
const end = (address: string, ports: Ports | undefined): string =>
  ports === undefined
    ? address
    : `${address.includes(':') ? `[${address}]` : address}${isAddress(address) ? ':' : ', port '}${portsText(ports)}`;

const mend = (
  config: ClusterConfig,
  node: NodeConfig,
  { to, toPort, devices }: DestinationNat,
  front: Front,
): string => {
  const legs = config.interfaces.filter((leg) => mayComeInBy(node, leg, devices));
  if (legs.every(({ side }) => side === 'inside')) {
    // At an address outside it would serve the world: DNS, say, as an open resolver.
    return "it is for clients inside, and interceptions can't be published: take the rule away and have those clients told the server's own address (by DHCP or DNS), or put the server behind an inside interface that is listed after theirs";
  }
  const entry = entryOf(config, to, toPort, front);
  const why = entry.instead === '' ? '' : ` (${entry.instead})`;
  return `take the rule away and publish it in cluster.yaml; publishing serves every client, so what else the rule asks, such as sources, goes into your filter${why}: ${entry.text}`;
};

/** An entry that the configuration takes (config/check-publish.ts). */
const entryOf = (
  config: ClusterConfig,
  to: string,
  toPort: number | undefined,
  { protocol, address, ports }: Front,
): { readonly text: string; readonly instead: string } => {
  const outside = config.interfaces.filter(({ side }) => side === 'outside');
  const translated = outside.flatMap(({ snat }) => snat);
  const usable = sharedOf({ interfaces: outside }).filter(
    (one) => familyOf(one) === familyOf(to) && !isLinkLocal(one),
  );
  const isTaken = (one: string): boolean =>
    ports !== undefined && ports.last >= FIRST_PORT && translated.includes(one);
  const own = address !== undefined && usable.includes(address) ? address : undefined;
  const front = [own, ...usable].find((one) => one !== undefined && !isTaken(one)) ?? own ?? usable[0];
  const blocked = front !== undefined && isTaken(front);
  const port = blocked ? 'PORT' : ports === undefined ? (toPort ?? 'PORT') : quoted(ports);
  const behind = toPort ?? (blocked && ports !== undefined ? quoted(ports) : undefined);
  const text = `${protocol}-${toPort ?? ports?.first ?? 'all'}: { protocol: ${protocol}, address: ${yaml(front ?? 'ADDRESS')}, port: ${port}, to: ${yaml(to)}${behind === undefined || behind === port ? '' : `, toPort: ${behind}`} }`;
  const instead = [
    ...(address !== undefined && own === undefined ? [`${address} is no shared address`] : []),
    ...(blocked
      ? [`PORT is below ${FIRST_PORT}: those above belong to the buckets`]
      : front !== own && own !== undefined
        ? [`the ports of ${own} from ${FIRST_PORT} up belong to the buckets`]
        : []),
  ];
  return { text, instead: instead.join('; ') };
};

const quoted = (ports: Ports): string | number =>
  ports.first === ports.last ? ports.first : `"${portsText(ports)}"`;

const yaml = (address: string): string => (address.includes(':') ? `"${address}"` : address);
