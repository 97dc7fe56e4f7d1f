import { readFile } from 'node:fs/promises';
import type { ClusterOptions } from './rig/cluster-config.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import type { NodePlan } from './rig/plan.ts';
import { until } from './rig/wait.ts';

/** Changes what the product renders for keepalived. */
export type Rewrite = (keepalived: string) => string;

/** Which mechanism a lab's agents do without (test/lab/broken/agent.ts). */
export type Break = 'sync' | 'adopt' | 'order' | 'snat' | 'readiness';
export const BREAKS: readonly Break[] = ['sync', 'adopt', 'order', 'snat', 'readiness'];

export interface BringUpOptions {
  readonly broken?: Break | 'unannounced' | 'unproven' | 'heart' | undefined;
  readonly rewrite?: Rewrite | undefined;
  /** All nodes, with manager pacemaker. */
  readonly cluster?: readonly NodePlan[];
}

/** Brings a node (booted, if it is off) to work as an administrator would: configurations, conntrackd, agent, keepalived. */
export const bringUp = async (
  node: FirewallNode,
  manager: ClusterOptions['manager'],
  { broken, rewrite = (text) => text, cluster = [] }: BringUpOptions = {},
): Promise<void> => {
  if (!node.on) {
    await node.boot();
  }
  await node.writeConfiguration(
    '/etc/conntrackd/conntrackd.conf',
    await node.product(['render', 'conntrackd']),
  );
  if (manager === 'keepalived') {
    const text = await node.product(['render', 'keepalived']);
    await node.writeConfiguration('/etc/keepalived/keepalived.conf', rewrite(text));
  }
  if (broken === 'sync') {
    await loseSync(node);
  }
  await node.startConntrackd();
  await node.startAgent(broken);
  await agentUp(node);
  if (broken === 'snat') {
    await loseRanges(node);
  }
  if (manager === 'keepalived') {
    await node.startKeepalived();
  }
  if (manager === 'pacemaker') {
    await node.startClusterStack(cluster);
  }
};

/** Writes what the product renders for conntrackd and keepalived. */
export const writeDaemons = async (node: FirewallNode): Promise<void> => {
  for (const [what, file] of [
    ['conntrackd', '/etc/conntrackd/conntrackd.conf'],
    ['keepalived', '/etc/keepalived/keepalived.conf'],
  ] as const) {
    await node.writeConfiguration(file, await node.product(['render', what]));
  }
};

/** Waits until the agent answers. */
export const agentUp = (node: FirewallNode): Promise<unknown> =>
  until(
    `the agent of ${node.name}`,
    async () => {
      const agent = node.daemon('agent');
      if (!agent.running) {
        return `ended: ${await readFile(agent.log, 'utf8')}`;
      }
      return (await node.product(['status', '--json'])).includes('"node"') || 'silent';
    },
    15_000,
    (state) => state === true,
  );

/** Whether the node's agent says that it holds the states of all groups. */
export const isSynced = async (node: FirewallNode): Promise<boolean> => {
  const { groups }: { groups: readonly { synced: boolean }[] } = JSON.parse(
    await node.product(['status', '--json']),
  );
  return groups.length > 0 && groups.every(({ synced }) => synced);
};

/** Ends a node's agent and starts another, or the lab's own with one mechanism taken out. */
export const restartAgent = async (node: FirewallNode, broken?: string): Promise<void> => {
  await node.daemon('agent').kill();
  await node.startAgent(broken);
  await agentUp(node);
};

/** Waits until the kernels say that the nodes own so many buckets each. */
export const untilActive = async (
  lab: Lab,
  counts: Readonly<Record<string, number>>,
  boundMs = 20_000,
): Promise<void> => {
  const look = async (): Promise<Record<string, number>> => {
    const pairs = Object.keys(counts).map(async (name) => {
      const active = await lab.node(name).ownedBuckets();
      return [name, active?.length ?? 0] as const;
    });
    return Object.fromEntries(await Promise.all(pairs));
  };
  await until(`buckets ${JSON.stringify(counts)}`, look, boundMs, (seen) =>
    Object.entries(counts).every(([name, count]) => seen[name] === count),
  );
};

/** What of a break is in the node's rules, once more: somebody has flushed them. */
export const loseMechanism = async (node: FirewallNode, broken: Break | undefined): Promise<void> => {
  if (broken === 'sync') {
    await loseSync(node);
  }
  if (broken === 'snat') {
    await loseRanges(node);
  }
};

/** No state reaches the peer from now on: what conntrackd sends is dropped on its way out. */
export const loseSync = async (node: FirewallNode): Promise<void> => {
  const rules = `table ip lab_lose_sync {
    chain out { type filter hook output priority -500; udp dport 3780 counter drop; }
  }`;
  await node.run(['nft', '-f', '-'], { input: rules });
};

/** How many of conntrackd's datagrams were dropped. */
export const lostSync = async (node: FirewallNode): Promise<number> => {
  const rules = await node.run(['nft', 'list', 'table', 'ip', 'lab_lose_sync']);
  return Number(/packets (\d+)/.exec(rules)?.[1]);
};

/** What conntrackd sends from now on reaches the peer again. */
export const keepSync = async (node: FirewallNode): Promise<void> => {
  await node.run(['nft', 'delete', 'table', 'ip', 'lab_lose_sync']);
};

/** Every bucket translates into all ports, as in the howto of 2010. */
const loseRanges = async (node: FirewallNode): Promise<void> => {
  const rules = `table ip lab_lose_ranges {
    chain nat { type nat hook postrouting priority srcnat - 50; oifname "eth2" ip saddr 192.168.0.0/24 snat to 192.168.1.5; }
  }`;
  await node.run(['nft', '-f', '-'], { input: rules });
};
