import {
  type ClusterConfig,
  deviceOf,
  type InterfaceConfig,
  type NodeConfig,
  peerPort,
} from '../config/types.ts';

/** What the data plane of one node is made of, with the node's own names of interfaces. */
export interface Plan {
  readonly seed: number;
  readonly buckets: number;
  readonly inside: DataLink;
  readonly outside: DataLink;
  /** Address that flows from inside are translated to; undefined without SNAT. */
  readonly snat: string | undefined;
  /** All addresses that the nodes share. */
  readonly shared: readonly string[];
  readonly sync: SyncLink;
}

/** An interface that carries the traffic of the cluster. */
export interface DataLink {
  readonly device: string;
  /** Shared MAC. */
  readonly mac: string;
  /** Shared addresses with their prefix, as `ip` takes them: 192.168.0.5/24. */
  readonly addresses: readonly string[];
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

/** @throws RangeError unless there is one inside and one outside interface: others have no data plane yet */
export const planOf = (config: ClusterConfig, node: NodeConfig): Plan => {
  const inside = only(config, 'inside');
  const outside = only(config, 'outside');
  const snat = outside.snat[0];
  const addresses = [...inside.addresses, ...outside.addresses].map(({ address }) => address);
  return {
    seed: config.seed,
    buckets: config.buckets,
    inside: dataLink(inside, node),
    outside: dataLink(outside, node),
    snat,
    shared: [...new Set(snat === undefined ? addresses : [...addresses, snat])],
    sync: {
      device: deviceOf(node, config.sync.interface),
      own: node.sync,
      peers: config.nodes.filter(({ id }) => id !== node.id).map(({ sync }) => sync),
      multicast: config.sync.mode === 'notrack' ? config.sync.multicast : undefined,
      port: config.sync.port,
      peerPort: peerPort(config.sync),
    },
  };
};

const only = (config: ClusterConfig, side: InterfaceConfig['side']): InterfaceConfig => {
  const [first, ...others] = config.interfaces.filter((one) => one.side === side);
  if (first === undefined || others.length > 0) {
    throw new RangeError(
      `expected one ${side} interface, got ${first === undefined ? 0 : others.length + 1}`,
    );
  }
  return first;
};

const dataLink = ({ name, mac, addresses }: InterfaceConfig, node: NodeConfig): DataLink => ({
  device: deviceOf(node, name),
  mac,
  addresses: addresses.map(({ address, prefix }) => `${address}/${prefix}`),
});
