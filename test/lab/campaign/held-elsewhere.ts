import { statusOf } from '../command-output.ts';
import { bucketOf } from '../flows.ts';
import type { FirewallNode } from '../rig/node.ts';
import { SERVER, SERVER6 } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';

/** So long may it take: a node that has just booted first rejoins. */
const BOUND_MS = 30_000;

/**
 * Waits until one of `others` says that it holds the states of all that `node` owns, and every established flow that it
 * owns stands, with the same translation, in that of one of `others`: only then anything is promised when `node` fails.
 */
export const untilHeldElsewhere = async (
  node: FirewallNode,
  others: readonly FirewallNode[],
): Promise<void> => {
  const names = others.map(({ name }) => name).join(' or ');
  await until(
    `${names} to hold the states of ${node.name}`,
    async () => (await Promise.all(others.map((other) => isSyncedWith(other, node.name)))).includes(true),
    BOUND_MS,
  );
  await until(
    `the flows of ${node.name} to be held by ${names}`,
    async () => {
      const owned = new Set(await node.ownedBuckets());
      const own = [...(await establishedIn(node))].filter((flow) => owned.has(bucketOf(sourceOf(flow))));
      const held = await Promise.all(others.map(establishedIn));
      return own.filter((flow) => !held.some((flows) => flows.has(flow)));
    },
    BOUND_MS,
    (missing) => missing.length === 0,
  );
};

const isSyncedWith = async (node: FirewallNode, owner: string): Promise<boolean> =>
  (await statusOf(node)).groups.filter((group) => group.owner === owner).every(({ synced }) => synced);

const sourceOf = (flow: string): string => / src=(\S+)/.exec(flow)?.[1] ?? '';

/** Both tuples of each flow that lasts. */
const establishedIn = async (node: FirewallNode): Promise<ReadonlySet<string>> => {
  const lists = await Promise.all([
    node.run(['conntrack', '-L', '-d', SERVER]),
    node.run(['conntrack', '-L', '-f', 'ipv6', '-d', SERVER6]),
  ]);
  return new Set(
    lists
      .flatMap((list) => list.split('\n'))
      .filter((line) => (line.includes('ESTABLISHED') || line.startsWith('udp')) && line.includes('ASSURED'))
      .map((line) => `${line.split(/\s+/)[0]} ${(line.match(/(src|dst|sport|dport)=\S+/g) ?? []).join(' ')}`),
  );
};
