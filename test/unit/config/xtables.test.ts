import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { complaints } from './complaints.ts';
import { SAMPLE } from './sample.ts';

/** The sample with what xtables needs, and the least that it needs. */
const XTABLES = `firewall: xtables\n${SAMPLE.replace('buckets: 64\n', '').replace('interface: eth3', 'interface: eth3\n  replicas: cache')}`;

const KERNEL =
  'kernel does not go with firewall xtables: it drops foreign packets only after conntrack has seen them, so states in the kernel would be changed by them; use cache';

test('is taken, with defaults of its own', () => {
  expect(parseConfig(XTABLES, 'c.yaml')).toMatchObject({
    firewall: 'xtables',
    buckets: 32,
    timeouts: { lease: 0 },
    sync: { replicas: 'cache' },
  });
  expect(parseConfig(`${XTABLES}buckets: 16\ntimeouts: { lease: 0 }\n`, 'c.yaml').buckets).toBe(16);
});

test.each([
  ['  replicas: cache\n', '', 'sync.replicas', KERNEL],
  ['replicas: cache', 'replicas: kernel', 'sync.replicas', KERNEL],
  // What is meant isn't known.
  ['replicas: cache', 'replicas: cahce', 'sync.replicas', '"cahce" is not known here; did you mean cache?'],
  [
    'sync:\n',
    '  fw3: { id: 3, sync: 10.99.0.3 }\nsync:\n',
    'nodes',
    "holds 3 nodes, and firewall xtables is for two: it needs conntrackd's external cache, which is one for all peers; keep two, or use firewall: nftables",
  ],
  [
    'seed:',
    'buckets: 64\nseed:',
    'buckets',
    '64 is more than xt_cluster has room for with firewall xtables; use at most 32',
  ],
  [
    'seed:',
    'timeouts: { lease: 30s }\nseed:',
    'timeouts.lease',
    'can only be 0 with firewall xtables: its rules have no timeout; use 0, or leave it out',
  ],
  [
    'keepalived:',
    '  eth4: { side: outside, mac: "01:00:5e:00:01:04", addresses: [172.16.0.5/24] }\nkeepalived:',
    'interfaces.eth4.side',
    'eth4 is a second outside interface beside eth2, and firewall xtables is for one of each: it hashes the source, not the end behind the earlier interface; keep one inside and one outside, or use firewall: nftables',
  ],
  [
    'side: inside',
    'side: inside\n    delivery: igmp',
    'interfaces.eth1.delivery',
    'igmp does not go with firewall xtables; use multicast, or firewall: nftables',
  ],
  [
    '[192.168.0.5/24]',
    '[192.168.0.5/24, fe80::5/64]',
    'interfaces.eth1.addresses[1]',
    'fe80::5 is of IPv6, and firewall xtables is for IPv4 only; leave it out, or use firewall: nftables',
  ],
  [
    'snat: [192.168.1.5]',
    'snat: [192.168.1.5, "fd00::5"]',
    'interfaces.eth2.snat[1]',
    'fd00::5 is of IPv6, and firewall xtables is for IPv4 only; leave it out, or use firewall: nftables',
  ],
  [
    '[192.168.0.5/24]',
    '[192.168.0.5/24]\n    networks: [192.168.0.0/24, "fd00::/64"]',
    'interfaces.eth1.networks[1]',
    'fd00:: is of IPv6, and firewall xtables is for IPv4 only; leave it out, or use firewall: nftables',
  ],
])('%j as %j is refused', (right, wrong, path, error) => {
  expect(
    complaints(XTABLES.replace(right, wrong)).map((line) => line.replace(/^c\.yaml:\d+:\d+: /, '')),
  ).toEqual([`${path}: ${error}`]);
});

test('what is refused with xtables only is no mistake with nftables', () => {
  expect(complaints(XTABLES.replace('xtables', 'nftables').replace('cache', 'kernel'))).toEqual([]);
});
