import type { Flow, Hashing, Tuple } from '../cluster/flow.ts';

/** What the moves act on: the kernel's tables and conntrackd, given as arguments so that the lab can break one. */
export interface Edges {
  readonly owned: OwnedSet;
  readonly table: FlowTable;
  readonly cache: InternalCache;
  /** With `replicas: cache` only. */
  readonly external?: ExternalCache | undefined;
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

/** conntrackd's external cache: the peer's flows, which a takeover puts into the kernel. */
export interface ExternalCache {
  /** Puts all of it into the kernel, replacing what is there. One at a time. Rejects if that is not known to be done. */
  readonly commit: () => Promise<Commit>;
  /** Empties it, after a commit that is under way. */
  readonly flush: () => Promise<void>;
  /** How many flows it holds. */
  readonly count: () => Promise<number>;
  /** The original tuples of what it holds; nothing else is told. */
  readonly dump: (signal: AbortSignal) => AsyncIterable<readonly Tuple[]>;
  /** Waits until what has happened to this node's flows has left for the peer's; false if that took too long. */
  readonly sent: () => Promise<boolean>;
}

/** What a commit has done; undefined where nobody tells. */
export interface Commit {
  readonly committed: number | undefined;
  readonly refused: number | undefined;
  readonly milliseconds: number;
}

/** How flows are sorted: into buckets, and into those that are replicated and those that aren't. */
export interface Sorting {
  readonly hashing: Hashing;
  readonly replicated: (flow: Flow) => boolean;
}
