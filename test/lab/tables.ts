import { bucketOf } from './flows.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';

const BUCKETS = 64;

type Family = 4 | 6;

/** Flows of clients, by the lab's plan of addresses: the firewalls' own have 5, 24x or 25x in the last place. */
const CLIENTS: Readonly<Record<Family, RegExp>> = {
  4: /^192\.168\.0\.(?!5$|2[45]\d$)/,
  6: /^fd00:1::(?!5$|2[45]\d$)/,
};

/**
 * The entries of a node's kernel that are replicated with or without SNAT, by bucket: `tcp src=... dport=...` in both
 * directions, as `conntrack -L` prints it. Looking also ends what has expired.
 */
export const tableOf = async (
  node: FirewallNode,
  family: Family = 4,
): Promise<ReadonlyMap<number, ReadonlySet<string>>> => {
  const table = new Map<number, Set<string>>();
  for (const line of (await node.run(['conntrack', '-L', '-f', `ipv${family}`])).split('\n')) {
    const [protocol = ''] = line.split(' ');
    const tuples = line.match(/\b(src|dst|sport|dport)=\S+/g) ?? [];
    const src = tuples[0]?.slice('src='.length) ?? '';
    if (['tcp', 'udp'].includes(protocol) && CLIENTS[family].test(src)) {
      const bucket = bucketOf(src);
      const entries = table.get(bucket) ?? new Set<string>();
      table.set(bucket, entries.add([protocol, ...tuples].join(' ')));
    }
  }
  return table;
};

/**
 * Where the nodes' tables differ, bucket by bucket: what a replica lacks and what it has though the bucket's owner, by
 * the owner's kernel, has it not.
 */
export const differences = async (lab: Lab, family: Family = 4): Promise<readonly string[]> => {
  const nodes = lab.nodes.filter((node) => node.on);
  const all = await Promise.all(
    nodes.map(async (node) => ({
      name: node.name,
      owned: new Set(await node.ownedBuckets()),
      table: await tableOf(node, family),
    })),
  );
  const found: string[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    const owner = all.find(({ owned }) => owned.has(bucket));
    if (owner === undefined) {
      found.push(`nobody owns bucket ${bucket}`);
      continue;
    }
    const live = owner.table.get(bucket) ?? new Set();
    for (const { name, table } of all) {
      const copies = table.get(bucket) ?? new Set();
      found.push(
        ...[...live].filter((entry) => !copies.has(entry)).map((entry) => `${name} lacks ${entry}`),
        ...[...copies].filter((entry) => !live.has(entry)).map((entry) => `${name} still has ${entry}`),
      );
    }
  }
  return found;
};

/** Waits until every replica has exactly the flows of the owners. Returns after how many milliseconds that was so. */
export const untilSameTables = async (lab: Lab, boundMs: number, family: Family = 4): Promise<number> => {
  const began = performance.now();
  await until(
    'the same flows on every node',
    () => differences(lab, family),
    boundMs,
    (found) => found.length === 0,
  );
  return performance.now() - began;
};

/** The entries of all buckets together. */
export const flowCountOf = async (node: FirewallNode): Promise<number> =>
  [...(await tableOf(node)).values()].reduce((sum, entries) => sum + entries.size, 0);

/** Sets timeouts of a node that has just booted, in seconds: `{ udp_timeout: 4 }`. */
export const setTimeouts = async (
  node: FirewallNode,
  timeouts: Readonly<Record<string, number>>,
): Promise<void> => {
  const settings = Object.entries(timeouts).map(
    ([name, seconds]) => `net.netfilter.nf_conntrack_${name}=${seconds}`,
  );
  await node.run(['sysctl', '-q', '-w', ...settings]);
};
