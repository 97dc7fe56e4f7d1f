import type { Flow, Hashing, Tuple } from '../cluster/flow.ts';

/** What the moves act on: the kernel's tables and conntrackd, given as arguments so that the lab can break one. */
export interface Edges {
  readonly owned: OwnedSet;
  readonly table: FlowTable;
  readonly cache: InternalCache;
}

/** The kernel's `owned` set. */
export interface OwnedSet {
  readonly read: () => Promise<ReadonlySet<number>>;
  /** One transaction. Idempotent. */
  readonly change: (change: {
    readonly add: readonly number[];
    readonly remove: readonly number[];
  }) => Promise<void>;
  /** Has what is in the set of `buckets` stay for the length of the lease from now on; adds nothing. */
  readonly renew: (buckets: readonly number[]) => Promise<void>;
}

/** The kernel's conntrack table. */
export interface FlowTable {
  readonly dump: (signal?: AbortSignal) => AsyncIterable<readonly Flow[]>;
  /** Has the kernel announce the flows as updated, unchanged. */
  readonly touch: (tuples: readonly Tuple[]) => Promise<{ readonly done: number; readonly missing: number }>;
  readonly remove: (tuples: readonly Tuple[]) => Promise<{ readonly done: number; readonly missing: number }>;
}

/** conntrackd's internal cache: what it believes are this node's own flows. */
export interface InternalCache {
  /** Changes whenever conntrackd is started anew; undefined while there is none. */
  readonly identity: () => Promise<string | undefined>;
  /** Waits until the peer has everything that was queued for it; false if that took too long. */
  readonly drained: (signal: AbortSignal) => Promise<boolean>;
  /** Empties it; nothing is sent to the peer. */
  readonly flush: () => Promise<void>;
  /** Sends all of it to the peer. */
  readonly bulk: () => Promise<void>;
}

/** How flows are sorted: into buckets, and into those that are replicated and those that aren't. */
export interface Sorting {
  readonly hashing: Hashing;
  readonly replicated: (flow: Flow) => boolean;
}
