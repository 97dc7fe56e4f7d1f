import type { ClusterConfig } from '../../../src/config/types.ts';

export const SHARED = { inside: '192.168.0.5', outside: '192.168.1.5' } as const;
export const SHARED_MAC = { inside: '01:00:5e:00:01:01', outside: '01:00:5e:00:01:02' } as const;

/** Two nodes, eth1 inside, eth2 outside, eth3 sync. With xtables half as many buckets as with nftables: 32. */
export const clusterConfig = ({
  snat,
  firewall = 'nftables',
}: {
  readonly snat: boolean;
  readonly firewall?: ClusterConfig['firewall'];
}): ClusterConfig => ({
  cluster: 'edge',
  seed: 0xdeadbeef,
  buckets: firewall === 'xtables' ? 32 : 64,
  nodes: [
    { name: 'fw1', id: 1, sync: '10.99.0.1', devices: {} },
    { name: 'fw2', id: 2, sync: '10.99.0.2', devices: {} },
  ],
  sync: {
    interface: 'eth3',
    mode: 'ftfw',
    multicast: '225.0.0.50',
    replicas: firewall === 'xtables' ? 'cache' : 'kernel',
    port: 3780,
    key: '/etc/conntrack-ha/key',
  },
  interfaces: [
    {
      name: 'eth1',
      side: 'inside',
      mac: SHARED_MAC.inside,
      addresses: [{ address: SHARED.inside, prefix: 24 }],
      delivery: 'multicast',
      snat: [],
      networks: ['192.168.0.0/24'],
      probe: undefined,
    },
    {
      name: 'eth2',
      side: 'outside',
      mac: SHARED_MAC.outside,
      addresses: [{ address: SHARED.outside, prefix: 24 }],
      delivery: 'multicast',
      snat: snat ? [SHARED.outside] : [],
      networks: [],
      probe: undefined,
    },
  ],
  publish: [],
  helpers: [],
  prefilter: false,
  firewall,
  manager: 'none',
  keepalived: { interface: 'eth1', advert: 0.1, vrid: 50 },
  pacemaker: { linger: 1000 },
  log: { level: 'info', format: 'auto' },
  timeouts: { conntrackd: 2000, peer: 1000, sync: 30000, disagree: 2000, holddown: 0, lease: 30000 },
  paths: {
    run: '/run/conntrack-ha',
    conntrackd: '/run/conntrackd.sock',
    conntrackdConf: '/etc/conntrackd/conntrackd.conf',
    keepalivedConf: '/etc/keepalived/keepalived.conf',
  },
});

/** The node of `config` with this name. */
export const nodeNamed = (config: ClusterConfig, name: string) => {
  const node = config.nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
};
