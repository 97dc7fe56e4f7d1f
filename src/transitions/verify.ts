import { setTimeout as delay } from 'node:timers/promises';
import { optionalIn } from '../cluster/fingerprint.ts';
import { HashTable } from '../cluster/hash-table.ts';
import { breather } from '../system/breath.ts';
import type { Copies, Copy, Removal } from './copies.ts';

/** How long a flow must be missing before it counts: a dump is no snapshot, and flows come and go meanwhile. */
const SETTLE_MS = 1000;
/** Shortest time between two comparisons. */
const PAUSE_MS = 150;
/** Missing in so many rounds, and sent again by the owner after each of them, a flow isn't on its way any more. */
const LATE_ROUNDS = 3;
/** For how long, at least: what a conntrackd has yet to send or to read after a burst comes within seconds. */
export const LATE_MS = 10_000;

/** A list of the owner's flows, and the way to have some of them sent again. */
export interface OwnersList {
  readonly hashes: AsyncIterable<readonly number[]>;
  readonly missing: (hashes: Iterable<number>) => Promise<number>;
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

/** How far a comparison is. */
export interface VerificationProgress {
  /** From 1. */
  readonly round: number;
  /** Flows that the owner has listed in this round. */
  readonly listed: number;
  /** How many it has; undefined until they were all listed once. */
  readonly flows: number | undefined;
  /** How many of them were found here in this round. */
  readonly found: number;
  /** How many were missing in the round before; undefined in the first. */
  readonly missing: number | undefined;
}

export interface VerifyOptions {
  /** Called between two comparisons. */
  readonly meanwhile?: () => Promise<unknown>;
  /** Called many times a second. */
  readonly progressed?: (progress: VerificationProgress) => void;
  /** Milliseconds for which a flow must be missing to be late; less, where it is known why it doesn't come. */
  readonly patience?: () => number;
}

/**
 * Verifies: compares this node's copies with their owner's flows until nothing older than a second is missing. The owner
 * touches what is missing; what is stale here is deleted, which also frees the tuples that a live flow may be waiting for.
 * Ends before the bound once flows are late, and no fewer than in the round before: what is sent again doesn't come.
 *
 * @param list asks the owner anew each round
 * @param bound milliseconds after which it gives up, at the end of a round
 */
export const verify = async (
  copies: Copies,
  list: () => Promise<OwnersList>,
  bound: number,
  signal: AbortSignal,
  { meanwhile = async () => {}, progressed = () => {}, patience = () => LATE_MS }: VerifyOptions = {},
): Promise<Verification> => {
  const began = performance.now();
  let before: Differences = {
    flows: undefined,
    missing: new HashTable(),
    stale: [],
    staleSince: new HashTable(),
  };
  let missed: number | undefined;
  let late = 0;
  let removed = 0;
  const rounded: number[] = [];
  for (let rounds = 1; ; rounds++) {
    // The first round's is when it began: what is missing since then has been for as long as it was watched.
    const asked = rounds === 1 ? began : performance.now();
    rounded.push(asked);
    const difference = await compareOnce(copies, await list(), signal, before, asked, (part) =>
      progressed({ round: rounds, flows: before.flows, missing: missed, ...part }),
    );
    signal.throwIfAborted();
    const { removal } = difference;
    removed += removal.removed;
    missed = difference.missing.size;
    const overdue = difference.missing.count((since) => asked - since >= SETTLE_MS);
    const watched = asked - began >= SETTLE_MS;
    const whole = missed === 0 || (watched && overdue === 0);
    const enough = Math.min(asked - patience(), rounded.at(-LATE_ROUNDS) ?? Number.NEGATIVE_INFINITY);
    const lateBefore = late;
    late = difference.missing.count((since) => since <= enough);
    const result = { flows: difference.flows, removed, rounds };
    if (whole && !removal.emptied && (difference.stale.length === 0 || watched)) {
      return { ...result, synced: true, missing: missed };
    }
    const hopeless = lateBefore > 0 && late >= lateBefore;
    if (hopeless || performance.now() - began >= bound) {
      const synced = whole && !removal.emptied;
      return { ...result, synced, missing: whole ? missed : overdue };
    }
    before = difference;
    await meanwhile();
    await delay(PAUSE_MS, undefined, { signal });
  }
};

interface Differences {
  readonly flows: number | undefined;
  /** Since when each flow has been missing. */
  readonly missing: HashTable;
  readonly stale: readonly Copy[];
  /** Since when each copy has been stale. */
  readonly staleSince: HashTable;
}

interface Round extends Differences {
  readonly flows: number;
  readonly removal: Removal;
}

/**
 * The owner's list first, this node's dump second: what was replicated in between counts as here. What differed `before`
 * keeps its time, the rest has `asked`. A copy that was stale `before` was here when the owner began this list, and is
 * not in it: its flow has ended. It goes before the owner sends what is missing: the kernel would refuse a flow whose
 * translated port a stale copy still has.
 */
const compareOnce = async (
  copies: Copies,
  owners: OwnersList,
  signal: AbortSignal,
  before: Differences,
  asked: number,
  progressed: (part: Pick<VerificationProgress, 'listed' | 'found'> & { readonly flows?: number }) => void,
): Promise<Round> => {
  const breathe = breather();
  try {
    const missing = new HashTable();
    const optional = new HashTable();
    for await (const hashes of owners.hashes) {
      for (const hash of hashes) {
        const marked = optionalIn(hash);
        marked === undefined ? missing.set(hash, before.missing.get(hash) ?? asked) : optional.set(marked, 0);
      }
      progressed({ listed: missing.size, found: 0 });
      await breathe();
    }
    const flows = missing.size;
    const stale: Copy[] = [];
    const staleSince = new HashTable();
    for await (const batch of copies.dump(signal)) {
      for (const copy of batch) {
        // A dump may give an entry twice.
        const known = missing.delete(copy.hash) || optional.has(copy.hash) || staleSince.has(copy.hash);
        if (!known && !copy.own) {
          stale.push(copy);
          staleSince.set(copy.hash, before.staleSince.get(copy.hash) ?? asked);
        }
      }
      progressed({ flows, listed: flows, found: flows - missing.size });
    }
    signal.throwIfAborted();
    const removal = await copies.remove(
      stale.filter(({ hash }) => {
        const since = before.staleSince.get(hash);
        return since !== undefined && asked - since >= copies.patience;
      }),
    );
    await owners.missing(missing.keys());
    return { flows, missing, stale, staleSince, removal };
  } finally {
    owners.close();
  }
};
