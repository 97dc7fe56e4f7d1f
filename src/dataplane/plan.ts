import { groupsOf } from '../cluster/groups.ts';
import { rankedLegs } from '../cluster/legs.ts';
import { type Share, sharesOfFamilies } from '../cluster/ranges.ts';
import { reflectingShares } from '../cluster/reflection.ts';
import {
  type ClusterConfig,
  deviceOf,
  type HelperName,
  type InterfaceConfig,
  type NodeConfig,
  type PublishedService,
  peerPort,
} from '../config/types.ts';
import { byFamily, type Families } from './family.ts';
import type { Link } from './links.ts';

/** What the data plane of one node is made of, with the node's own names of interfaces. */
export interface Plan {
  readonly seed: number;
  readonly buckets: number;
  /** As the configuration lists them. */
  readonly legs: readonly Leg[];
  /** All addresses that the nodes share. */
  readonly shared: Families;
  /** The MACs of this node's interfaces, by their names; undefined: not known which there are. */
  readonly macs: ReadonlyMap<string, string> | undefined;
  readonly services: readonly PublishedService[];
  readonly helpers: readonly HelperName[];
  readonly sync: SyncLink;
  /** Undefined: keepalived isn't the manager. */
  readonly vrrp: VrrpLink | undefined;
}

/** Where keepalived speaks. */
export interface VrrpLink {
  readonly device: string;
  /** VRIDs, both included. */
  readonly first: number;
  readonly last: number;
}

/** An interface that carries the traffic of the cluster. */
export interface Leg {
  /** The interface's, as the configuration has it. */
  readonly name: string;
  /** For names of chains: leg_1, leg_2. */
  readonly label: string;
  readonly device: string;
  readonly side: InterfaceConfig['side'];
  readonly delivery: InterfaceConfig['delivery'];
  /** Shared MAC. */
  readonly mac: string;
  /** Shared addresses with their prefix, as `ip` takes them: 192.168.0.5/24. */
  readonly addresses: readonly string[];
  /** Networks behind it; none: the rest of the world. */
  readonly networks: Families;
  /** Networks behind the legs that come before it (`rankedLegs`): of a flow with one of them, that end is hashed. */
  readonly before: Families;
  /** Whether other legs have the rest of the world behind them too: of a flow between those no end could be told from the other. */
  readonly ambiguous: boolean;
  /** What each bucket's flows are translated to as they leave here; none: they aren't. */
  readonly snat: readonly Share[];
  /** The same for clients behind it that connect to a server behind it, by an address that it is published on. */
  readonly reflecting: readonly Share[];
}

export interface SyncLink {
  readonly device: string;
  /** This node's address on it. */
  readonly own: string;
  readonly peers: readonly string[];
  /** Where else than to `own` conntrackd's messages go; undefined: nowhere. */
  readonly multicast: string | undefined;
  /** UDP port of conntrackd. */
  readonly port: number;
  /** UDP and TCP port of the agents. */
  readonly peerPort: number;
}

/** @param links all of this machine's interfaces; undefined: another machine's, or not known */
export const planOf = (
  config: ClusterConfig,
  node: NodeConfig,
  links?: readonly Pick<Link, 'name' | 'mac'>[],
): Plan => {
  const shared = config.interfaces.flatMap(({ addresses, snat }) => [
    ...addresses.map(({ address }) => address),
    ...snat,
  ]);
  return {
    seed: config.seed,
    buckets: config.buckets,
    legs: config.interfaces.map((one, index) => legOf(config, node, one, index + 1)),
    shared: byFamily([...new Set(shared)]),
    macs: links && new Map(links.map(({ name, mac }) => [name, mac])),
    services: config.publish,
    helpers: config.helpers,
    sync: {
      device: deviceOf(node, config.sync.interface),
      own: node.sync,
      peers: config.nodes.filter(({ id }) => id !== node.id).map(({ sync }) => sync),
      multicast: config.sync.mode === 'notrack' ? config.sync.multicast : undefined,
      port: config.sync.port,
      peerPort: peerPort(config.sync),
    },
    vrrp: vrrpLink(config, node),
  };
};

/** The legs whose interface there is: rules can be hooked to no other. All, where it isn't known. */
export const presentLegs = ({ legs, macs }: Plan): readonly Leg[] =>
  legs.filter(({ device }) => macs === undefined || macs.has(device));

const vrrpLink = (config: ClusterConfig, node: NodeConfig): VrrpLink | undefined =>
  config.manager === 'keepalived'
    ? {
        device: deviceOf(node, config.keepalived.interface),
        first: config.keepalived.vrid,
        last: config.keepalived.vrid + groupsOf(config).length - 1,
      }
    : undefined;

const legOf = (config: ClusterConfig, node: NodeConfig, one: InterfaceConfig, number: number): Leg => {
  const ranked = rankedLegs(config);
  const rank = ranked.indexOf(one);
  const before = (rank < 0 ? ranked : ranked.slice(0, rank)).flatMap(({ networks }) => networks);
  return {
    name: one.name,
    label: `leg_${number}`,
    device: deviceOf(node, one.name),
    side: one.side,
    delivery: one.delivery,
    mac: one.mac,
    addresses: one.addresses.map(({ address, prefix }) => `${address}/${prefix}`),
    networks: byFamily(one.networks),
    before: byFamily(before),
    ambiguous: rank < 0 && config.interfaces.length - ranked.length > 1,
    snat: sharesOfFamilies(one.snat, groupsOf(config), config.buckets),
    reflecting: reflectingShares(config, one),
  };
};
