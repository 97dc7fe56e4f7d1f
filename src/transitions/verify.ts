import { setTimeout as delay } from 'node:timers/promises';
import { fingerprint } from '../cluster/fingerprint.ts';
import { bucketOfFlow, type Tuple } from '../cluster/flow.ts';
import type { Edges, Sorting } from './edges.ts';

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
 * Verifies: compares this node's copies of `buckets` with their owner's flows until nothing older than a second is
 * missing. The owner touches what is missing; what is stale here is deleted, which also frees the tuples that a live
 * flow may be waiting for.
 *
 * @param list asks the owner anew each round
 * @param foreign whether another node owns the bucket at this moment, and deleting is silent (disowned)
 * @param bound milliseconds after which it gives up
 * @param meanwhile is called between two comparisons
 */
export const verify = async (
  edges: Pick<Edges, 'table'>,
  sorting: Sorting,
  buckets: ReadonlySet<number>,
  list: () => Promise<OwnersList>,
  foreign: (bucket: number) => boolean,
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
    const difference = await compareOnce(edges, sorting, buckets, await list(), signal);
    signal.throwIfAborted();
    keepSince(missingSince, difference.missing, asked);
    keepSince(staleSince, difference.stale.keys(), asked);
    const stale = [...difference.stale].filter(([hash]) => settled(staleSince, hash, asked));
    const tuples = stale.filter(([, { bucket }]) => foreign(bucket)).map(([, { tuple }]) => tuple);
    removed += tuples.length > 0 ? (await edges.table.remove(tuples)).done : 0;
    const overdue = [...missingSince.keys()].filter((hash) => settled(missingSince, hash, asked)).length;
    const watched = asked - began >= SETTLE_MS;
    const whole = difference.missing.size === 0 || (watched && overdue === 0);
    const result = { flows: difference.flows, removed, rounds };
    if (whole && (staleSince.size === 0 || watched)) {
      return { ...result, synced: true, missing: difference.missing.size };
    }
    if (performance.now() - began >= bound) {
      return { ...result, synced: whole, missing: whole ? difference.missing.size : overdue };
    }
    await meanwhile();
    await delay(PAUSE_MS, undefined, { signal });
  }
};

interface Difference {
  readonly flows: number;
  readonly missing: ReadonlySet<number>;
  readonly stale: ReadonlyMap<number, { readonly tuple: Tuple; readonly bucket: number }>;
}

/** The owner's list first, this node's dump second: what was replicated in between counts as here. */
const compareOnce = async (
  edges: Pick<Edges, 'table'>,
  sorting: Sorting,
  buckets: ReadonlySet<number>,
  owners: OwnersList,
  signal: AbortSignal,
): Promise<Difference> => {
  try {
    const missing = new Set<number>();
    for await (const hashes of owners.hashes) {
      for (const hash of hashes) {
        missing.add(hash);
      }
    }
    const flows = missing.size;
    const stale = new Map<number, { tuple: Tuple; bucket: number }>();
    for await (const batch of edges.table.dump(signal)) {
      for (const flow of batch) {
        const bucket = bucketOfFlow(flow, sorting.hashing);
        if (!buckets.has(bucket) || !sorting.replicated(flow)) {
          continue;
        }
        const hash = fingerprint(flow);
        if (!missing.delete(hash)) {
          stale.set(hash, { tuple: flow.original, bucket });
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
