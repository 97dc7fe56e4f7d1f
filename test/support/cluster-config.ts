import type { ClusterConfig } from '../../src/config/types.ts';

/** A valid configuration of two nodes, for tests that change one thing in it. */
export const clusterConfig = (fields: Partial<ClusterConfig> = {}): ClusterConfig => ({
  cluster: 'test',
  seed: 0xdeadbeef,
  buckets: 64,
  nodes: [
    { name: 'fw1', id: 1, sync: '10.99.0.1', devices: {} },
    { name: 'fw2', id: 2, sync: '10.99.0.2', devices: {} },
  ],
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
      networks: ['192.168.0.0/24'],
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
  ...fields,
});
