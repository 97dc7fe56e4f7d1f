import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './rig/lab.ts';
import { WaitError } from './rig/wait.ts';
import type { Transition } from './verdict/summary.ts';

/** What the kernel of each node filters. `off`: no power, or no data plane. */
export type Shares = Readonly<Record<'fw1' | 'fw2', 'home' | 'all' | 'none' | 'off'>>;

export const HOMES: Shares = { fw1: 'home', fw2: 'home' };

const BUCKETS = Array.from({ length: 64 }, (_, bucket) => bucket);
/** Buckets go round the nodes. */
const EVEN = BUCKETS.filter((bucket) => bucket % 2 === 0);
const ODD = BUCKETS.filter((bucket) => bucket % 2 === 1);

/**
 * Waits until the kernels' owned sets are exactly these, bucket by bucket. Returns from when to when they changed: from
 * the last look that saw the state before.
 */
export const untilShares = async (lab: Lab, wanted: Shares, boundMs = 20_000): Promise<Transition> => {
  const target = JSON.stringify([bucketsOf('fw1', wanted.fw1), bucketsOf('fw2', wanted.fw2)]);
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

const bucketsOf = (node: 'fw1' | 'fw2', share: Shares['fw1']): readonly number[] | null => {
  if (share === 'off') {
    return null;
  }
  const home = node === 'fw1' ? EVEN : ODD;
  return { home, all: BUCKETS, none: [] }[share];
};
