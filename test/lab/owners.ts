import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './rig/lab.ts';

/** What was seen, in milliseconds: the longest time that a bucket was owned by two kernels, and by none. */
export interface Owners {
  readonly two: number;
  readonly none: number;
  /** When a bucket was seen to have two owners last, Date.now(). */
  readonly lastTwo: number | undefined;
}

interface Span {
  longest: number;
  since: number | undefined;
  last: number | undefined;
}

/**
 * Looks at the owned sets of both kernels from now on, about 30 times a second; returns how to end that. What one look sees
 * counts as no time at all: the two sets are read one after the other, and a hand-over may come in between.
 */
export const watchOwners = (lab: Lab): (() => Promise<Owners>) => {
  let watching = true;
  const two: Span = { longest: 0, since: undefined, last: undefined };
  const none: Span = { longest: 0, since: undefined, last: undefined };
  const watch = async (): Promise<void> => {
    while (watching) {
      const sets = await Promise.all(lab.nodes.map((node) => node.ownedBuckets()));
      const now = Date.now();
      const [one = new Set(), other = new Set()] = sets.map((buckets) => new Set(buckets));
      note(
        two,
        now,
        [...one].some((bucket) => other.has(bucket)),
      );
      note(none, now, new Set([...one, ...other]).size < BUCKETS);
      await sleep(10);
    }
  };
  const watched = watch();
  return async () => {
    watching = false;
    await watched;
    return { two: two.longest, none: none.longest, lastTwo: two.last };
  };
};

const BUCKETS = 64;

const note = (span: Span, now: number, seen: boolean): void => {
  if (!seen) {
    span.since = undefined;
    return;
  }
  span.since ??= now;
  span.last = now;
  span.longest = Math.max(span.longest, now - span.since);
};
