import { type NodePlan, SEED, SHARED, SHARED_MAC } from './plan.ts';

export interface ClusterOptions {
  /** Translate flows to the shared outside address. */
  readonly snat: boolean;
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
  /** More top-level keys, as YAML lines. */
  readonly more?: readonly string[];
}

/** How many buckets the cluster has. */
export const bucketsOf = ({ buckets, firewall }: Pick<ClusterOptions, 'buckets' | 'firewall'>): number =>
  buckets ?? (firewall === 'xtables' ? 32 : 64);

/** cluster.yaml for the lab's network, the same text on every node. */
export const clusterYaml = (nodes: readonly NodePlan[], options: ClusterOptions): string => {
  const address = (side: 'inside' | 'outside') => `${SHARED[side]}/${SHARED.prefix}`;
  const probe = (side: 'inside' | 'outside') =>
    options.probe === undefined ? '' : `, probe: ${options.probe[side]}`;
  const snat = options.snat ? `, snat: [${SHARED.outside}]` : '';
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
    `  eth1: { side: inside, mac: "${SHARED_MAC.inside}", addresses: [${address('inside')}], delivery: multicast${probe('inside')} }`,
    `  eth2: { side: outside, mac: "${SHARED_MAC.outside}", addresses: [${address('outside')}], delivery: multicast${snat}${probe('outside')} }`,
    `firewall: ${options.firewall ?? 'nftables'}`,
    `manager: ${options.manager}`,
    ...(options.manager === 'keepalived'
      ? [`keepalived: { interface: ${options.heartbeat ?? 'eth1'}, advert: 0.1, vrid: 50 }`]
      : []),
    ...(options.more ?? []),
  ].join('\n')}\n`;
};
