import { setTimeout as delay } from 'node:timers/promises';
import type { Pair } from './install.ts';

/** Milliseconds between two looks. */
const LOOK_MS = 20;

/** For how many milliseconds at a stretch no node filtered anything, as the kernels have it, until `what` had ended. */
export const unservedDuring = async (nodes: Pair, what: Promise<unknown>): Promise<number> => {
  let under = true;
  let longest = 0;
  let since: number | undefined;
  const ended = what.finally(() => {
    under = false;
  });
  while (under) {
    const owned = await Promise.all(nodes.map((node) => node.ownedBuckets()));
    const now = performance.now();
    since = owned.every((buckets) => (buckets?.length ?? 0) === 0) ? (since ?? now) : undefined;
    longest = Math.max(longest, since === undefined ? 0 : now - since);
    await delay(LOOK_MS);
  }
  await ended;
  return Math.round(longest);
};
