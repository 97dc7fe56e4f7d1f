import { aboutKey, aboutValue, type Complaint, type KeyPath } from './complaint.ts';
import { type Interface, indexed, interfacesOf } from './remaining.ts';
import type { Remains } from './schema.ts';
import { isIpv4 } from './subnet.ts';
import type { ClusterConfig } from './types.ts';

type Firewall = ClusterConfig['firewall'];

/** XT_CLUSTER_NODES_MAX, include/uapi/linux/netfilter/xt_cluster.h. */
const MOST_BUCKETS_OF_XTABLES = 32;

/** What `buckets` is by default. */
export const bucketsFor = (firewall: Firewall): number =>
  firewall === 'xtables' ? MOST_BUCKETS_OF_XTABLES : 64;

/** What `timeouts.lease` is by default. */
export const leaseFor = (firewall: Firewall): number => (firewall === 'xtables' ? 0 : 30_000);

/** What xtables can't do. */
export const checkFirewall = (
  config: Remains,
  isFaulty: (path: KeyPath) => boolean,
): readonly Complaint[] => {
  if (config.firewall !== 'xtables') {
    return [];
  }
  const interfaces = interfacesOf(config);
  return [
    ...replicas(config, isFaulty),
    ...nodes(config),
    ...buckets(config),
    ...lease(config),
    ...prefilter(config),
    ...interfaces.flatMap((one, index) => surplus(one, interfaces.slice(0, index))),
    ...interfaces.flatMap((one) => [...delivery(one), ...otherFamily(one)]),
  ];
};

const replicas = ({ sync }: Remains, isFaulty: (path: KeyPath) => boolean): readonly Complaint[] =>
  sync?.replicas === 'kernel' && !isFaulty(['sync', 'replicas'])
    ? [
        aboutValue(
          ['sync', 'replicas'],
          'kernel does not go with firewall xtables: it drops foreign packets only after conntrack has seen them, so states in the kernel would be changed by them',
          'use cache',
        ),
      ]
    : [];

const nodes = ({ nodes = {} }: Remains): readonly Complaint[] => {
  const count = Object.keys(nodes).length;
  return count > 2
    ? [
        aboutKey(
          ['nodes'],
          `holds ${count} nodes, and firewall xtables is for two: it needs conntrackd's external cache, which is one for all peers`,
          'keep two, or use firewall: nftables',
        ),
      ]
    : [];
};

const buckets = ({ buckets }: Remains): readonly Complaint[] =>
  buckets !== undefined && buckets > MOST_BUCKETS_OF_XTABLES
    ? [
        aboutValue(
          ['buckets'],
          `${buckets} is more than xt_cluster has room for with firewall xtables`,
          `use at most ${MOST_BUCKETS_OF_XTABLES}`,
        ),
      ]
    : [];

const lease = ({ timeouts }: Remains): readonly Complaint[] =>
  timeouts?.lease !== undefined && timeouts.lease > 0
    ? [
        aboutValue(
          ['timeouts', 'lease'],
          'can only be 0 with firewall xtables: its rules have no timeout',
          'use 0, or leave it out',
        ),
      ]
    : [];

const prefilter = (config: Remains): readonly Complaint[] =>
  config.prefilter === true
    ? [
        aboutValue(
          ['prefilter'],
          'does not go with firewall xtables: its rules drop only after conntrack has seen a packet',
          'leave it out, or use firewall: nftables',
        ),
      ]
    : [];

/** xt_cluster hashes the source of a flow's first packet, whatever it is between. */
const surplus = ({ name, side }: Interface, before: readonly Interface[]): readonly Complaint[] => {
  const first = side === undefined ? undefined : before.find((other) => other.side === side);
  return first === undefined
    ? []
    : [
        aboutValue(
          ['interfaces', name, 'side'],
          `${name} is a second ${side} interface beside ${first.name}, and firewall xtables is for one of each: it hashes the source, not the end behind the earlier interface`,
          'keep one inside and one outside, or use firewall: nftables',
        ),
      ];
};

const delivery = ({ name, delivery = 'multicast' }: Interface): readonly Complaint[] =>
  delivery === 'multicast'
    ? []
    : [
        aboutValue(
          ['interfaces', name, 'delivery'],
          `${delivery} does not go with firewall xtables`,
          'use multicast, or firewall: nftables',
        ),
      ];

const otherFamily = ({ name, addresses, snat, networks }: Interface): readonly Complaint[] => {
  const all = [
    ...indexed(addresses).map(([{ address }, index]) => ({ address, path: ['addresses', index] })),
    ...indexed(snat).map(([address, index]) => ({ address, path: ['snat', index] })),
    ...indexed(networks).map(([{ address }, index]) => ({ address, path: ['networks', index] })),
  ];
  return all
    .filter(({ address }) => !isIpv4(address))
    .map(({ address, path }) =>
      aboutValue(
        ['interfaces', name, ...path],
        `${address} is of IPv6, and firewall xtables is for IPv4 only`,
        'leave it out, or use firewall: nftables',
      ),
    );
};
