import { setTimeout as delay } from 'node:timers/promises';
import { fingerprint } from '../cluster/fingerprint.ts';
import { bucketOfFlow } from '../cluster/flow.ts';
import { HashTable } from '../cluster/hash-table.ts';
import { breather } from '../system/breath.ts';
import type { Edges, Sorting } from './edges.ts';
import type { OwnersList } from './verify.ts';

/** Shortest time between two rounds: what was asked for must have come. */
const PAUSE_MS = 200;
/** Whoever deletes the flows may still be at it: rounds in a row that must find nothing missing. */
const QUIET_ROUNDS = 2;

export interface Recall {
  /** Flows that the replica held and this node, their owner, didn't. */
  readonly lost: number;
  /** How many of them it holds again. */
  readonly returned: number;
}

/**
 * Recalls: has a replica send what this node has lost of the flows of its own buckets. The replica touches its copies, its
 * conntrackd sends them as new, and they are made here (internal_cache_ct_event_upd() and external_inject_ct_new() of
 * conntrack-tools). What is made so doesn't stand in this node's internal cache: it must be adopted next.
 *
 * @param list asks the replica anew each round
 * @param owns the answer of this moment
 * @param bound milliseconds after which it gives up, at the end of a round
 */
export const recall = async (
  edges: Pick<Edges, 'table'>,
  sorting: Sorting,
  owns: (bucket: number) => boolean,
  list: () => Promise<OwnersList>,
  bound: number,
  signal: AbortSignal,
): Promise<Recall> => {
  const began = performance.now();
  const lost = new HashTable();
  for (let quiet = 0; ; ) {
    const missing = await recallOnce(edges, sorting, owns, await list(), signal);
    for (const hash of missing.keys()) {
      lost.set(hash, 0);
    }
    quiet = missing.size === 0 ? quiet + 1 : 0;
    if (quiet === QUIET_ROUNDS || performance.now() - began >= bound) {
      return { lost: lost.size, returned: lost.size - missing.size };
    }
    await delay(PAUSE_MS, undefined, { signal });
  }
};

const recallOnce = async (
  edges: Pick<Edges, 'table'>,
  { hashing, replicated }: Sorting,
  owns: (bucket: number) => boolean,
  copies: OwnersList,
  signal: AbortSignal,
): Promise<HashTable> => {
  const breathe = breather();
  try {
    const missing = new HashTable();
    for await (const hashes of copies.hashes) {
      for (const hash of hashes) {
        missing.set(hash, 0);
      }
      await breathe();
    }
    for await (const flows of edges.table.dump(signal)) {
      for (const flow of flows) {
        if (owns(bucketOfFlow(flow, hashing)) && replicated(flow)) {
          missing.delete(fingerprint(flow));
        }
      }
    }
    signal.throwIfAborted();
    await copies.missing(missing.keys());
    return missing;
  } finally {
    copies.close();
  }
};
