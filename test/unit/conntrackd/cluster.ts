import type { ClusterConfig, NodeConfig } from '../../../src/config/types.ts';

export const fw1: NodeConfig = { id: 1, name: 'fw1', sync: '10.99.0.1', devices: {} };
export const fw2: NodeConfig = { id: 2, name: 'fw2', sync: '10.99.0.2', devices: { eth1: 'enp3s0' } };

/** The example of the documentation. */
export const edge: ClusterConfig = {
  cluster: 'edge',
  seed: 0xdeadbeef,
  buckets: 64,
  nodes: [fw1, fw2],
  sync: {
    interface: 'eth3',
    mode: 'ftfw',
    multicast: '225.0.0.50',
    replicas: 'kernel',
    port: 3780,
    key: '/etc/conntrack-ha/key',
  },
  interfaces: [
    {
      name: 'eth1',
      side: 'inside',
      mac: '01:00:5e:00:01:01',
      addresses: [{ address: '192.168.0.5', prefix: 24 }],
      delivery: 'multicast',
      snat: [],
      networks: [],
      probe: undefined,
    },
    {
      name: 'eth2',
      side: 'outside',
      mac: '01:00:5e:00:01:02',
      addresses: [{ address: '192.168.1.5', prefix: 24 }],
      delivery: 'multicast',
      snat: ['192.168.1.5'],
      networks: [],
      probe: undefined,
    },
  ],
  publish: [],
  helpers: [],
  prefilter: false,
  firewall: 'nftables',
  manager: 'keepalived',
  keepalived: { interface: 'eth1', advert: 0.1, vrid: 50 },
  pacemaker: { linger: 1000 },
  log: { level: 'info', format: 'auto' },
  timeouts: { conntrackd: 2000, peer: 1000, sync: 30_000, disagree: 2000, holddown: 0, lease: 30_000 },
  paths: {
    run: '/run/conntrack-ha',
    conntrackd: '/var/run/conntrackd.sock',
    conntrackdConf: '/etc/conntrackd/conntrackd.conf',
    keepalivedConf: '/etc/keepalived/keepalived.conf',
  },
};

const fw3: NodeConfig = { id: 3, name: 'fw3', sync: '10.99.0.3', devices: {} };

/** With a third node. */
export const three: ClusterConfig = {
  ...edge,
  nodes: [fw1, fw2, fw3],
  sync: { ...edge.sync, mode: 'notrack' },
};

export const withoutSnat: ClusterConfig = {
  ...edge,
  interfaces: edge.interfaces.map((settings) => ({ ...settings, snat: [] })),
};

/** With IPv6 beside IPv4, which is not translated. */
export const dual: ClusterConfig = {
  ...edge,
  interfaces: edge.interfaces.map((settings, index) => ({
    ...settings,
    addresses: [...settings.addresses, { address: `fd00:${index + 1}::5`, prefix: 64 }],
  })),
};

/** IPv6 is translated as well. */
export const dualSnat: ClusterConfig = {
  ...dual,
  interfaces: dual.interfaces.map((settings) =>
    settings.side === 'outside' ? { ...settings, snat: [...settings.snat, 'fd00:2::5'] } : settings,
  ),
};

export const cached: ClusterConfig = { ...edge, sync: { ...edge.sync, replicas: 'cache' } };

export const helping: ClusterConfig = { ...withoutSnat, helpers: ['ftp', 'sip', 'tftp'] };
