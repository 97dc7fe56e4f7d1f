import { setTimeout as delay } from 'node:timers/promises';
import { fingerprint } from '../cluster/fingerprint.ts';
import { bucketOfFlow } from '../cluster/flow.ts';
import { HashTable } from '../cluster/hash-table.ts';
import { breather } from '../system/breath.ts';
import type { Edges, Sorting } from './edges.ts';
import { Losses, type RoundOfLosses } from './losses.ts';
import type { OwnersList } from './verify.ts';

/** Shortest time between two rounds: what was asked for must have come. */
const PAUSE_MS = 200;
/** Whoever deletes the flows may still be at it: rounds in a row in which none must have gone but by its own end. */
const QUIET_ROUNDS = 2;

export interface Recall {
  /** Flows that the replica held and this node, their owner, didn't. */
  readonly lost: number;
  /** How many of them it holds again. */
  readonly returned: number;
}

export interface RecallOptions {
  /** What was found before, by way of another replica; this one's is added to it, also if this is cut off. */
  readonly losses?: Losses;
  /** Called between two rounds. */
  readonly meanwhile?: () => Promise<unknown>;
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
  { losses = new Losses(), meanwhile = async () => {} }: RecallOptions = {},
): Promise<Recall> => {
  const began = performance.now();
  /** Whether the next round tells of what this one has found missing. */
  let open = false;
  for (let quiet = 0; ; ) {
    const { certain, missing } = await recallOnce(edges, sorting, owns, await list(), signal, losses);
    if (certain > 0) {
      quiet = 0;
    } else if (open) {
      quiet += 1;
    }
    open = missing > 0;
    quiet += open ? 0 : 1;
    if (quiet >= QUIET_ROUNDS || performance.now() - began >= bound) {
      return { lost: losses.lost, returned: losses.returned };
    }
    await meanwhile();
    await delay(PAUSE_MS, undefined, { signal });
  }
};

/**
 * What is missing for the first time in a later round is asked for only while flows turn out to be lost: where all is well it has
 * ended a moment ago, and would be made anew here.
 */
const recallOnce = async (
  edges: Pick<Edges, 'table'>,
  { hashing, replicated }: Sorting,
  owns: (bucket: number) => boolean,
  copies: OwnersList,
  signal: AbortSignal,
  losses: Losses,
): Promise<RoundOfLosses> => {
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
          const hash = fingerprint(flow);
          missing.delete(hash);
          losses.stands(hash);
        }
      }
    }
    signal.throwIfAborted();
    const round = losses.end(missing);
    await copies.missing(round.first || round.certain > 0 ? missing.keys() : []);
    return round;
  } finally {
    copies.close();
  }
};
