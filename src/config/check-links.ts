import { aboutValue, type Complaint } from './complaint.ts';
import { listed } from './leaf.ts';
import type { Remains } from './schema.ts';

/** What the sync link and keepalived use: interfaces that are there, numbers that suffice. */
export const checkLinks = (config: Remains): readonly Complaint[] => [
  ...syncLink(config),
  ...externalCache(config),
  ...keepalivedLink(config),
  ...virtualRouterIds(config),
];

/** Whatever comes in on the sync interface passes the filter, so it can't be a shared one. */
const syncLink = ({ sync, interfaces }: Remains): readonly Complaint[] =>
  sync?.interface !== undefined && Object.hasOwn(interfaces ?? {}, sync.interface)
    ? [
        aboutValue(
          ['sync', 'interface'],
          `${sync.interface} carries the shared addresses`,
          'use a link between the nodes of its own, or a VLAN on it',
        ),
      ]
    : [];

/** conntrackd's messages don't say whose they are, and a commit takes all that the cache holds. */
const externalCache = ({ sync, nodes, firewall }: Remains): readonly Complaint[] =>
  // With xtables it has to be the cache, so the nodes are told of.
  sync?.replicas === 'cache' && firewall !== 'xtables' && Object.keys(nodes ?? {}).length > 2
    ? [
        aboutValue(
          ['sync', 'replicas'],
          'cache is for two nodes: conntrackd has one external cache for all peers, and one of them empties it of what it deletes',
          'use kernel',
        ),
      ]
    : [];

const keepalivedLink = ({ keepalived, sync, interfaces }: Remains): readonly Complaint[] => {
  const name = keepalived?.interface;
  if (name === undefined || sync?.interface === undefined || interfaces === undefined) {
    return [];
  }
  const known = [...new Set([...Object.keys(interfaces), sync.interface])];
  return known.includes(name)
    ? []
    : [
        aboutValue(
          ['keepalived', 'interface'],
          `${name} is no interface of this configuration`,
          `use ${listed(known)}`,
        ),
      ];
};

const LAST_VRID = 255;

/** With keepalived, each group has a VRID, and N nodes make N * (N - 1) groups. */
const virtualRouterIds = ({ manager = 'keepalived', keepalived, nodes }: Remains): readonly Complaint[] => {
  const count = Object.keys(nodes ?? {}).length;
  const last = LAST_VRID - Math.max(count * (count - 1), 1) + 1;
  return manager === 'keepalived' && keepalived?.vrid !== undefined && count <= 16 && keepalived.vrid > last
    ? [
        aboutValue(
          ['keepalived', 'vrid'],
          `${keepalived.vrid} leaves no VRID for each of the ${count * (count - 1)} groups`,
          `use at most ${last}`,
        ),
      ]
    : [];
};
