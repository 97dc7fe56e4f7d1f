/** What a loaded configuration is: validated, defaults filled in, times in milliseconds. */
export interface ClusterConfig {
  readonly cluster: string;
  /** Seed of jhash, 32 bits unsigned. */
  readonly seed: number;
  /** Number of buckets, a power of two from 2 to 1024. */
  readonly buckets: number;
  /** By id, ascending. */
  readonly nodes: readonly NodeConfig[];
  readonly sync: SyncConfig;
  readonly interfaces: readonly InterfaceConfig[];
  readonly publish: readonly PublishedService[];
  /** Protocols whose further connections conntrack learns from what they say. */
  readonly helpers: readonly HelperName[];
  readonly firewall: 'nftables' | 'xtables';
  /** Whether a program drops what other nodes filter before the rules do. */
  readonly prefilter: boolean;
  readonly manager: 'keepalived' | 'pacemaker' | 'none';
  readonly keepalived: KeepalivedConfig;
  readonly pacemaker: PacemakerConfig;
  readonly log: { readonly level: LogLevel; readonly format: 'auto' | 'json' | 'text' };
  readonly timeouts: Timeouts;
  readonly paths: Paths;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface NodeConfig {
  /** The host name; no underscore. */
  readonly name: string;
  /** From 1. */
  readonly id: number;
  /** IPv4 address on the sync interface. */
  readonly sync: string;
  /** Where an interface of the configuration has another name on this node. */
  readonly devices: Readonly<Record<string, string>>;
}

export interface SyncConfig {
  /** Name as in the configuration; `deviceOf` gives the node's own. */
  readonly interface: string;
  /** `ftfw`: to the one peer, acknowledged. `notrack`: to all of several by multicast, not acknowledged. */
  readonly mode: 'ftfw' | 'notrack';
  /** IPv4 group to which states go with `notrack`. */
  readonly multicast: string;
  /** Where the peers' states wait: in the kernel, or in conntrackd's external cache, from which a takeover commits them. */
  readonly replicas: 'kernel' | 'cache';
  /** UDP port of conntrackd; agents use port + 1 (UDP and TCP). */
  readonly port: number;
  /** Path of the file with the key that authenticates agents to each other. */
  readonly key: string;
}

export interface InterfaceConfig {
  readonly name: string;
  readonly side: 'inside' | 'outside';
  /** Shared MAC, lower case: with `stealth` a unicast one, else a multicast one. */
  readonly mac: string;
  /** IPv4 and IPv6. */
  readonly addresses: readonly InterfaceAddress[];
  /**
   * How the switch is brought to send frames for the shared MAC to every node. `multicast`: it is a multicast address;
   * `igmp`: also one of an IP group that the nodes join; `stealth`: a unicast address that never is a frame's source.
   */
  readonly delivery: 'multicast' | 'igmp' | 'stealth';
  /** IPv4 and IPv6 addresses that flows leaving here are translated to; empty: no SNAT. Only outside. */
  readonly snat: readonly string[];
  /**
   * Prefixes behind it in CIDR form, IPv4 and IPv6. Inside by default the subnets of `addresses`; an outside interface
   * without any has the rest of the world behind it.
   */
  readonly networks: readonly string[];
  /** A neighbour that the agent asks whether the network behind the interface still answers; undefined: it asks nobody. */
  readonly probe: string | undefined;
}

/** A service inside that clients of other interfaces reach: its flows belong to the bucket of the client. */
export interface PublishedService {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  /** The shared address that clients connect to; undefined: the server's own, and nothing is translated. */
  readonly address: string | undefined;
  readonly ports: Ports;
  /** The server, in the networks of an inside interface. */
  readonly to: string;
  /** As many as `ports`. */
  readonly toPorts: Ports;
}

/** Both ends included; the same if it is one. */
export interface Ports {
  readonly first: number;
  readonly last: number;
}

export type HelperName = 'ftp' | 'sip' | 'tftp';

export interface InterfaceAddress {
  readonly address: string;
  readonly prefix: number;
}

export interface KeepalivedConfig {
  /** Interface that VRRP runs on; name as in the configuration. */
  readonly interface: string;
  /** Advertisement interval in seconds, 0.01 to 40.95. */
  readonly advert: number;
  /** VRID of the first group; the others follow. */
  readonly vrid: number;
}

export interface PacemakerConfig {
  /** How long a node that Pacemaker has demoted serves on until another asks for the group, in milliseconds. */
  readonly linger: number;
}

/** All in milliseconds. */
export interface Timeouts {
  readonly conntrackd: number;
  readonly peer: number;
  readonly sync: number;
  readonly disagree: number;
  readonly holddown: number;
  /** How long a bucket stays owned without the agent renewing it; 0: for good. Not with manager none. */
  readonly lease: number;
}

export interface Paths {
  /** State that a reboot clears: /run/conntrack-ha */
  readonly run: string;
  /** conntrackd's control socket: /var/run/conntrackd.sock */
  readonly conntrackd: string;
  /** conntrackd's configuration: /etc/conntrackd/conntrackd.conf */
  readonly conntrackdConf: string;
  readonly keepalivedConf: string;
}

/** The name that `node` has for the interface that the configuration calls `name`. */
export const deviceOf = (node: NodeConfig, name: string): string =>
  // An interface may be called `constructor`.
  (Object.hasOwn(node.devices, name) ? node.devices[name] : undefined) ?? name;

/** UDP and TCP port on which agents talk. */
export const peerPort = (sync: SyncConfig): number => sync.port + 1;

/**
 * Local ports of connections to a peer's `peerPort` that conntrack doesn't see, by the data plane's rules. Below those that the kernel
 * gives out (net.ipv4.ip_local_port_range), and only root may take one.
 */
export const UNTRACKED_PORTS = { first: 512, last: 1023 } as const;
