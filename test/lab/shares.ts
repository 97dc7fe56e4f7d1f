import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until, WaitError } from './rig/wait.ts';
import type { Transition } from './verdict/summary.ts';

/** What the kernel of each node filters. `off`: no power, or no data plane. */
export type Shares = Readonly<Record<'fw1' | 'fw2', 'home' | 'all' | 'none' | 'off'>>;

export const HOMES: Shares = { fw1: 'home', fw2: 'home' };

/**
 * Waits until the kernels' owned sets are exactly these, bucket by bucket. Returns from when to when they changed: from
 * the last look that saw the state before.
 */
export const untilShares = async (lab: Lab, wanted: Shares, boundMs = 20_000): Promise<Transition> => {
  const target = JSON.stringify([bucketsOf(lab, 'fw1', wanted.fw1), bucketsOf(lab, 'fw2', wanted.fw2)]);
  const start = Date.now();
  let from = start;
  let first: string | undefined;
  for (;;) {
    const looked = Date.now();
    const seen = await readShares(lab);
    first ??= seen;
    if (seen === target) {
      return { from, to: Date.now() };
    }
    if (seen === first) {
      from = looked;
    }
    if (looked - start > boundMs) {
      throw new WaitError(`waited ${boundMs} ms for owned buckets ${target}; last seen: ${seen}`);
    }
    await sleep(20);
  }
};

/** The owned sets of both kernels, as text; null for a node without one. */
export const readShares = async (lab: Lab): Promise<string> =>
  JSON.stringify(
    await Promise.all([lab.node('fw1').ownedBuckets(), lab.node('fw2').ownedBuckets()]).then((both) =>
      both.map((buckets) => buckets ?? null),
    ),
  );

/** Waits until every bucket has exactly one owner, whoever that is. */
export const untilComplementary = async (lab: Lab, boundMs = 10_000): Promise<void> => {
  const owned = JSON.stringify(allBuckets(lab));
  await until(
    'one owner of every bucket',
    () => Promise.all(lab.nodes.map(async (node) => (await node.ownedBuckets()) ?? [])),
    boundMs,
    (sets) => JSON.stringify(sets.flat().sort((one, other) => one - other)) === owned,
  );
};

/** How often a monitor is told something, until it hears it. */
const TELL_MS = 200;

/**
 * Records every change of a node's owned set from now on, as the kernel announces it; returns how to read them: `+0:1f` or
 * `-0:1f`. A bucket that one transaction takes out and puts in again, as the lease's renewal does, has not changed.
 */
export const watchOwned = async (node: FirewallNode): Promise<() => Promise<readonly string[]>> => {
  // Of everything: told to show elements only, it doesn't say where a transaction ends.
  const start = performance.now();
  const monitor = await node.machine.spawn('nft-monitor', ['nft', 'monitor']);
  // It doesn't say when it begins to listen: it is given something to tell until it does. Not all the time, since it reads what is
  // loaded first, and begins again whenever that changes meanwhile.
  await node.run(['nft', 'add', 'table', 'ip', 'lab_probe']);
  await node.run(['nft', 'add', 'set', 'ip', 'lab_probe', 'heard', '{ type ipv4_addr; }']);
  let told = 0;
  await until(
    'nft monitor',
    async () => {
      const element = Math.floor((performance.now() - start) / TELL_MS);
      if (element > told) {
        told = element;
        await node.run(['nft', 'add', 'element', 'ip', 'lab_probe', 'heard', `{ 10.0.0.${told} }`]);
      }
      return (await monitor.output()).includes('lab_probe');
    },
    10_000,
  );
  return async () => (await monitor.output()).split('# new generation').flatMap(netChanges);
};

/** What a transaction has changed in the end, in the lines of `nft monitor` about it. */
const netChanges = (transaction: string): readonly string[] => {
  const last = new Map<string, string>();
  const first = new Map<string, string>();
  const line = /^(\w+) element netdev conntrack_ha owned \{ (\S+)/gm;
  for (const [, verb, bucket = ''] of transaction.matchAll(line)) {
    const sign = verb === 'delete' ? '-' : '+';
    first.set(bucket, first.get(bucket) ?? sign);
    last.set(bucket, sign);
  }
  return [...last].flatMap(([bucket, sign]) => (first.get(bucket) === sign ? [`${sign}${bucket}`] : []));
};

const bucketsOf = (lab: Lab, node: 'fw1' | 'fw2', share: Shares['fw1']): readonly number[] | null => {
  if (share === 'off') {
    return null;
  }
  const all = allBuckets(lab);
  // Buckets go round the nodes.
  const home = all.filter((bucket) => bucket % 2 === (node === 'fw1' ? 0 : 1));
  return { home, all, none: [] }[share];
};

const allBuckets = (lab: Lab): readonly number[] =>
  Array.from({ length: lab.buckets }, (_, bucket) => bucket);
