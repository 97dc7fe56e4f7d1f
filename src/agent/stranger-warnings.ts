import { groupsOf } from '../cluster/groups.ts';
import type { Warning } from '../cluster/warning.ts';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { labelProblem } from '../config/values.ts';
import type { HeardNeighbour, HeardRouter } from '../dataplane/heard.ts';
import type { Claim } from '../peers/link.ts';

/** What the sentences about strangers name of this node's cluster. */
export interface Scene {
  readonly cluster: string;
  /** Groups by their VRIDs. */
  readonly groups: ReadonlyMap<number, string>;
  readonly vrrpDevice: string;
  readonly syncDevice: string;
  readonly key: string;
  /** The shared addresses. */
  readonly shared: ReadonlySet<string>;
  /** The configuration's names of interfaces and their shared MACs, by this node's names. */
  readonly legs: ReadonlyMap<string, { readonly name: string; readonly mac: string }>;
}

export const sceneOf = (config: ClusterConfig, node: NodeConfig): Scene => ({
  cluster: config.cluster,
  groups: new Map(groupsOf(config).map(({ name }, index) => [config.keepalived.vrid + index, name])),
  vrrpDevice: deviceOf(node, config.keepalived.interface),
  syncDevice: deviceOf(node, config.sync.interface),
  key: config.sync.key,
  shared: new Set(
    config.interfaces.flatMap(({ addresses, snat }) => [...addresses.map(({ address }) => address), ...snat]),
  ),
  legs: new Map(config.interfaces.map(({ name, mac }) => [deviceOf(node, name), { name, mac }])),
});

interface Said {
  readonly warning: Warning;
  readonly again: string;
}

/** @param said of one source */
export const routerWarning = (
  source: string,
  said: readonly HeardRouter[],
  unless: readonly string[],
  { groups, vrrpDevice }: Scene,
): Said => {
  const priorities = new Map<number, number>();
  for (const { vrid, priority } of said) priorities.set(vrid, Math.max(priority, priorities.get(vrid) ?? 0));
  const ids = [...priorities]
    .toSorted(([one], [other]) => one - other)
    .map(([vrid, priority]) => `${vrid} (${groups.get(vrid) ?? 'none'}) at priority ${priority}`);
  return {
    warning: {
      code: 'vrrp-stranger',
      object: source,
      text: `${source}, ${noNode(unless)}, speaks VRRP on ${vrrpDevice} with our VRID ${ids.join(' and ')}: where its priority is the higher one keepalived here yields to it, so nobody filters the group and its packets are dropped; give one of the two clusters another name or another keepalived.vrid, and render keepalived's configuration anew on its nodes`,
    },
    again: `${source} no longer speaks VRRP on ${vrrpDevice} with our VRIDs`,
  };
};

/** @param said by one MAC on one interface; the addresses are all shared ones, or none is */
export const neighbourWarning = (
  said: readonly HeardNeighbour[],
  unless: readonly string[],
  { legs, shared }: Scene,
): Said => {
  const { mac = '', device = '' } = said[0] ?? {};
  const addresses = listed([...new Set(said.map(({ address }) => address))].sort());
  const who = `${mac}, ${noNode(unless)},`;
  const object = `${mac} on ${device}`;
  if (said.some(({ address }) => shared.has(address))) {
    return {
      warning: {
        code: 'address-stranger',
        object,
        text: `${who} says on ${device} that our shared ${addresses} is its own: hosts that believe it send their packets to it, or to both, and connections break; give one of the two another address`,
      },
      again: `${mac} no longer says on ${device} that a shared address is its own`,
    };
  }
  const leg = legs.get(device);
  return {
    warning: {
      code: 'mac-stranger',
      object,
      text: `${who} uses our shared MAC ${leg?.mac ?? ''} on ${device} for ${addresses}: each gets the other's packets, and may forward them a second time or refuse them; give one of the two clusters another name, or another interfaces.${leg?.name ?? device}.mac`,
    },
    again: `${mac} no longer uses our shared MAC on ${device}`,
  };
};

/** Of somebody who speaks with the agent, and not as a peer does. */
export const claimWarning = (
  address: string,
  { cluster, node }: Claim,
  { cluster: ours, syncDevice, key }: Scene,
): Said => ({
  warning: {
    code: 'other-cluster',
    object: address,
    text: `${address} ${claimText(cluster, node, ours)}: it is dropped; ${
      cluster === ours
        ? `if it is a node of this cluster, copy ${key} there from another; else give that cluster another name, and a sync link and addresses of its own`
        : `give each cluster a sync link on ${syncDevice}, or sync addresses and a sync.port, of its own`
    }`,
  },
  again: `${address} no longer speaks with the agent as another cluster's node`,
});

/** Of somebody who sends to the ports, and isn't let through to who listens there. */
export const senderWarning = (address: string, { syncDevice }: Scene): Said => ({
  warning: {
    code: 'other-cluster',
    object: address,
    text: `${address}, the sync address of no node, sends to the synchronisation's ports on ${syncDevice}: it is dropped, but another cluster may be on the link, perhaps by the same configuration; give each a link, or a sync.port and sync.multicast, of its own`,
  },
  again: `${address} no longer sends to the synchronisation's ports on ${syncDevice}`,
});

const claimText = (cluster: string | undefined, node: string | undefined, ours: string): string => {
  if (!isName(cluster)) return "sends the agent messages that aren't sealed with this cluster's key";
  const who = `${isName(node) ? `the node ${node} of ` : ''}a cluster ${cluster}`;
  return cluster === ours
    ? `sends the agent messages of ${who}, the name of this one, sealed with another key`
    : `sends the agent messages of ${who}`;
};

/** What isn't authentic may hold anything. */
const isName = (text: string | undefined): text is string =>
  text !== undefined && labelProblem(text) === undefined;

const noNode = (unless: readonly string[]): string =>
  unless.length === 0
    ? 'no node of this cluster'
    : `no node of this cluster unless it is ${unless.join(' or ')}, which tells nothing of itself`;

const MOST_LISTED = 4;

const listed = (texts: readonly string[]): string =>
  texts.length <= MOST_LISTED
    ? texts.join(', ')
    : `${texts.slice(0, MOST_LISTED).join(', ')} and ${texts.length - MOST_LISTED} more`;
