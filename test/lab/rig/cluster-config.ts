import {
  type DataSide,
  DMZ_SERVER,
  DMZ_SERVER6,
  type NetworkOptions,
  type NodePlan,
  SEED,
  SHARED,
  SHARED_MAC,
  SHARED6,
} from './plan.ts';

export interface ClusterOptions {
  /** Translate flows to the shared outside address, of either family that the lab has; or to these. */
  readonly snat: boolean | readonly string[];
  readonly manager: 'keepalived' | 'pacemaker' | 'none';
  /** 64 by default, 32 with xtables. */
  readonly buckets?: number;
  /** `nftables` by default. */
  readonly firewall?: 'nftables' | 'xtables';
  /** `kernel` by default. */
  readonly replicas?: 'kernel' | 'cache';
  /** Where keepalived speaks; eth1 by default. */
  readonly heartbeat?: 'eth1' | 'eth3';
  /** The neighbour that the nodes ask on either side; by default nobody. */
  readonly probe?: Readonly<Record<'inside' | 'outside', string>>;
  /** How frames reach every node; `multicast` by default. */
  readonly delivery?: 'multicast' | 'igmp' | 'stealth';
  /** The DMZ's server is published: on the shared outside address, or at its own; by default it isn't. */
  readonly publish?: 'translated' | 'plain';
  /** More top-level keys, as YAML lines. */
  readonly more?: readonly string[];
}

/** The port that stands for the DMZ's server's own on the shared outside address. */
export const publishedPort = (port: number): number => port - 6300;

/** What the DMZ's server is asked for. */
const SERVICES = { echo: ['tcp', 7001], bulk: ['tcp', 7002], datagrams: ['udp', 7003] } as const;
/** How many buckets the cluster has. */
export const bucketsOf = ({ buckets, firewall }: Pick<ClusterOptions, 'buckets' | 'firewall'>): number =>
  buckets ?? (firewall === 'xtables' ? 32 : 64);

/** cluster.yaml for the lab's network, the same text on every node. */
export const clusterYaml = (
  nodes: readonly NodePlan[],
  options: ClusterOptions,
  network: NetworkOptions = {},
): string => {
  const outside = [SHARED.outside, ...(network.ip6 ? [SHARED6.outside] : [])].map(quoted).join(', ');
  const translated = typeof options.snat === 'boolean' ? outside : options.snat.join(', ');
  const snat = options.snat === false ? '' : `, snat: [${translated}]`;
  const probe = (side: 'inside' | 'outside') =>
    options.probe === undefined ? '' : `, probe: ${options.probe[side]}`;
  return `${[
    'cluster: lab',
    `seed: 0x${SEED.toString(16)}`,
    `buckets: ${bucketsOf(options)}`,
    'nodes:',
    ...nodes.map(
      ({ name, id, links }) => `  ${name}: { id: ${id}, sync: ${links.sync.address.split('/')[0]} }`,
    ),
    `sync: { interface: eth3, mode: ${nodes.length > 2 ? 'notrack' : 'ftfw'}, replicas: ${options.replicas ?? 'kernel'}, port: 3780, key: /etc/conntrack-ha/key }`,
    'interfaces:',
    `  eth1: { side: inside, ${shared('inside', options, network)}${probe('inside')} }`,
    `  eth2: { side: outside, ${shared('outside', options, network)}${snat}${probe('outside')} }`,
    ...(network.dmz ? [`  eth4: { side: inside, ${shared('dmz', options, network)} }`] : []),
    ...published(options, network),
    `firewall: ${options.firewall ?? 'nftables'}`,
    `manager: ${options.manager}`,
    ...(options.manager === 'keepalived'
      ? [`keepalived: { interface: ${options.heartbeat ?? 'eth1'}, advert: 0.1, vrid: 50 }`]
      : []),
    ...(options.more ?? []),
  ].join('\n')}\n`;
};

/** The keys of an interface that say what the nodes share there. */
const shared = (
  side: DataSide,
  { delivery = 'multicast' }: ClusterOptions,
  { ip6 }: NetworkOptions,
): string => {
  const addresses = [
    `${SHARED[side]}/${SHARED.prefix}`,
    ...(ip6 ? [quoted(`${SHARED6[side]}/${SHARED6.prefix}`)] : []),
  ];
  const mac = delivery === 'stealth' ? SHARED_MAC[side].replace('01', '02') : SHARED_MAC[side];
  return `mac: "${mac}", addresses: [${addresses.join(', ')}], delivery: ${delivery}`;
};

const published = ({ publish }: ClusterOptions, { ip6 }: NetworkOptions): readonly string[] => {
  if (publish === undefined) {
    return [];
  }
  const service = (name: keyof typeof SERVICES, on: string, to: string): string => {
    const [protocol, port] = SERVICES[name];
    const where =
      publish === 'plain'
        ? `port: ${port}`
        : `address: ${quoted(on)}, port: ${publishedPort(port)}, toPort: ${port}`;
    return `{ protocol: ${protocol}, ${where}, to: ${quoted(to)} }`;
  };
  return [
    'publish:',
    ...(['echo', 'bulk', 'datagrams'] as const).flatMap((name) => [
      `  ${name}: ${service(name, SHARED.outside, DMZ_SERVER)}`,
      ...(ip6 ? [`  ${name}6: ${service(name, SHARED6.outside, DMZ_SERVER6)}`] : []),
    ]),
  ];
};

/** A colon would begin a value. */
const quoted = (address: string): string => (address.includes(':') ? `"${address}"` : address);
