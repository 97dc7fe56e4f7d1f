import { setTimeout as delay } from 'node:timers/promises';
import { optionalIn } from '../cluster/fingerprint.ts';
import type { Copies, Copy } from './copies.ts';

/** How long a difference must last before it counts: a dump is no snapshot, and flows come and go meanwhile. */
const SETTLE_MS = 1000;
/** Shortest time between two comparisons. */
const PAUSE_MS = 150;

/** A list of the owner's flows, and the way to have some of them sent again. */
export interface OwnersList {
  readonly hashes: AsyncIterable<readonly number[]>;
  readonly missing: (hashes: readonly number[]) => Promise<number>;
  readonly close: () => void;
}

export interface Verification {
  /** Whether nothing older than a second is missing. */
  readonly synced: boolean;
  /** Flows compared in the last round. */
  readonly flows: number;
  /** Still missing, and for longer than a second if not synced. */
  readonly missing: number;
  /** Entries deleted here that the owner doesn't have. */
  readonly removed: number;
  readonly rounds: number;
}

/**
 * Verifies: compares this node's copies with their owner's flows until nothing older than a second is missing. The owner
 * touches what is missing; what is stale here is deleted, which also frees the tuples that a live flow may be waiting for.
 *
 * @param list asks the owner anew each round
 * @param bound milliseconds after which it gives up
 * @param meanwhile is called between two comparisons
 */
export const verify = async (
  copies: Copies,
  list: () => Promise<OwnersList>,
  bound: number,
  signal: AbortSignal,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<Verification> => {
  const began = performance.now();
  const missingSince = new Map<number, number>();
  const staleSince = new Map<number, number>();
  let removed = 0;
  for (let rounds = 1; ; rounds++) {
    const asked = performance.now();
    const difference = await compareOnce(copies, await list(), signal);
    signal.throwIfAborted();
    keepSince(missingSince, difference.missing, asked);
    keepSince(staleSince, difference.stale.keys(), asked);
    const stale = [...difference.stale].filter(([hash]) => settled(staleSince, hash, asked));
    const removal = await copies.remove(stale.map(([, copy]) => copy));
    removed += removal.removed;
    const overdue = [...missingSince.keys()].filter((hash) => settled(missingSince, hash, asked)).length;
    const watched = asked - began >= SETTLE_MS;
    const whole = difference.missing.size === 0 || (watched && overdue === 0);
    const result = { flows: difference.flows, removed, rounds };
    if (whole && !removal.emptied && (staleSince.size === 0 || watched)) {
      return { ...result, synced: true, missing: difference.missing.size };
    }
    if (performance.now() - began >= bound) {
      const synced = whole && !removal.emptied;
      return { ...result, synced, missing: whole ? difference.missing.size : overdue };
    }
    await meanwhile();
    await delay(PAUSE_MS, undefined, { signal });
  }
};

interface Difference {
  readonly flows: number;
  readonly missing: ReadonlySet<number>;
  readonly stale: ReadonlyMap<number, Copy>;
}

/** The owner's list first, this node's dump second: what was replicated in between counts as here. */
const compareOnce = async (copies: Copies, owners: OwnersList, signal: AbortSignal): Promise<Difference> => {
  try {
    const missing = new Set<number>();
    const optional = new Set<number>();
    for await (const hashes of owners.hashes) {
      for (const hash of hashes) {
        const marked = optionalIn(hash);
        marked === undefined ? missing.add(hash) : optional.add(marked);
      }
    }
    const flows = missing.size;
    const stale = new Map<number, Copy>();
    for await (const batch of copies.dump(signal)) {
      for (const copy of batch) {
        if (!missing.delete(copy.hash) && !optional.has(copy.hash)) {
          stale.set(copy.hash, copy);
        }
      }
    }
    signal.throwIfAborted();
    await owners.missing([...missing]);
    return { flows, missing, stale };
  } finally {
    owners.close();
  }
};

/** Forgets what is no longer different, and notes since when the rest is. */
const keepSince = (since: Map<number, number>, now: Iterable<number>, at: number): void => {
  const current = new Set(now);
  for (const hash of since.keys()) {
    if (!current.has(hash)) {
      since.delete(hash);
    }
  }
  for (const hash of current) {
    if (!since.has(hash)) {
      since.set(hash, at);
    }
  }
};

const settled = (since: ReadonlyMap<number, number>, hash: number, at: number): boolean =>
  at - (since.get(hash) ?? at) >= SETTLE_MS;
