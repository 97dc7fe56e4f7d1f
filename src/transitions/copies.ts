import { fingerprint, originalFingerprint } from '../cluster/fingerprint.ts';
import { bucketOfFlow, type Tuple } from '../cluster/flow.ts';
import type { Edges, ExternalCache, Sorting } from './edges.ts';

/** Deleted at a time: who owns them is looked up again for each. */
const BATCH = 1000;
/** How often a cache is emptied in one comparison. */
const TIMES = 2;
/** The word that a flow has ended may be on its way, and emptying a cache for it is dear. */
const PATIENCE_MS = 1000;

/** Where a replica keeps an owner's flows, as a comparison sees it. */
export interface Copies {
  readonly dump: (signal: AbortSignal) => AsyncIterable<readonly Copy[]>;
  /** Milliseconds for which a copy must be stale before it is removed. */
  readonly patience: number;
  /** Does away with what the owner doesn't have. */
  readonly remove: (stale: readonly Copy[]) => Promise<Removal>;
}

export interface Removal {
  /** How many stale copies went. */
  readonly removed: number;
  /** Whether all others went with them: what was found says no more. */
  readonly emptied: boolean;
}

export interface Copy {
  readonly hash: number;
  readonly tuple: Tuple;
  /** Undefined where it isn't told. */
  readonly bucket: number | undefined;
  /** A flow of this node's own, which the owner may have a copy of: it is here, and is never stale. */
  readonly own: boolean;
}

/**
 * With `replicas: kernel`: the entries of `buckets` in this node's kernel.
 *
 * @param foreign whether another node owns the bucket at this moment, and deleting is silent (disowned)
 */
export const kernelCopies = (
  edges: Pick<Edges, 'table'>,
  { hashing, replicated }: Sorting,
  buckets: ReadonlySet<number>,
  foreign: (bucket: number) => boolean,
): Copies => ({
  patience: 0,
  dump: async function* (signal) {
    for await (const flows of edges.table.dump(signal)) {
      const copies: Copy[] = [];
      for (const flow of flows) {
        const bucket = bucketOfFlow(flow, hashing);
        if (buckets.has(bucket)) {
          copies.push({ hash: fingerprint(flow), tuple: flow.original, bucket, own: !replicated(flow) });
        }
      }
      yield copies;
    }
  },
  remove: async (stale) => {
    let removed = 0;
    for (let at = 0; at < stale.length; at += BATCH) {
      const tuples = stale
        .slice(at, at + BATCH)
        .filter(({ bucket }) => bucket !== undefined && foreign(bucket))
        .map(({ tuple }) => tuple);
      removed += tuples.length > 0 ? (await edges.table.remove(tuples)).done : 0;
    }
    return { removed, emptied: false };
  },
});

/**
 * With `replicas: cache`: all that conntrackd's external cache holds, since there are two nodes, and whatever the peer
 * doesn't have is stale: a flow of this node's own as well, which a commit would replace by an old copy. One entry can't be
 * taken out, so the cache is emptied and filled anew, twice in a comparison: the owner then empties its own cache first.
 *
 * @param refill has the owner send all its flows
 */
export const cachedCopies = (external: ExternalCache, refill: () => void): Copies => {
  let times = 0;
  return {
    patience: PATIENCE_MS,
    dump: async function* (signal) {
      for await (const tuples of external.dump(signal)) {
        yield tuples.map((tuple) => ({
          hash: originalFingerprint({ original: tuple }),
          tuple,
          bucket: undefined,
          own: false,
        }));
      }
    },
    remove: async (stale) => {
      if (stale.length === 0 || times >= TIMES) {
        return { removed: 0, emptied: false };
      }
      times += 1;
      await external.flush();
      refill();
      return { removed: stale.length, emptied: true };
    },
  };
};
