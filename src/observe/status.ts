import type { GroupView, Snapshot } from '../cluster/snapshot.ts';
import type { Decision } from '../cluster/verdict.ts';
import type { Warning } from '../cluster/warning.ts';
import { reasonOf } from './warnings.ts';

/** What `status --json` prints: stable, documented in docs/commands.md. */
export interface Status {
  readonly node: string;
  readonly manager: { readonly kind: string; readonly alive: boolean };
  /** Whether the operator has drained this node. */
  readonly drained: boolean;
  readonly groups: readonly GroupStatus[];
  readonly peers: readonly { readonly name: string; readonly reachable: boolean }[];
  readonly conntrackd: 'starting' | 'ok' | 'absent' | 'stuck' | 'unfit';
  /** The last comparison with each peer's flows. */
  readonly verified: readonly VerifiedStatus[];
  /** The comparison that is under way; null: none. */
  readonly comparing: ComparisonStatus | null;
  /** The last commit of conntrackd's external cache, with `replicas: cache`; null: none since the agent started. */
  readonly commit: CommitStatus | null;
  /**
   * What the kernel didn't enter into its table since the agent began: packets that conntrack dropped because no port was left
   * for their flow, or it met another, and states of peers that conntrackd wanted to put there.
   */
  readonly refused: number;
  /** What this node hears of its peers on each interface that the nodes share. */
  readonly legs: readonly LegStatus[];
  readonly warnings: readonly StatusWarning[];
}

/** A warning as it came from an agent, whichever codes that knows. */
export type StatusWarning = Omit<Warning, 'code'> & { readonly code: string };

export interface LegStatus {
  /** As the configuration names it. */
  readonly name: string;
  /** `deaf`: it hears nobody, though it is heard, or others are: it counts as lost. `unheard`: nobody hears anybody. */
  readonly hearing: 'heard' | 'deaf' | 'unheard' | 'unknown';
  /** By peer: milliseconds since its last frame to the shared MAC came in here; null: none has since the agent started. */
  readonly heard: Readonly<Record<string, number | null>>;
}

export interface GroupStatus {
  readonly name: string;
  readonly home: string;
  /** How many. */
  readonly buckets: number;
  /** The node that owns it, as far as this node sees; null: none. */
  readonly owner: string | null;
  readonly role: 'owner' | 'replica';
  /** Whether this node holds its states. */
  readonly synced: boolean;
  /** When this node's role last changed, ISO 8601; null: not since the agent started. */
  readonly since: string | null;
  readonly reason: string;
}

export interface VerifiedStatus {
  readonly peer: string;
  readonly synced: boolean;
  readonly flows: number;
  readonly missing: number;
  readonly at: string;
}

export interface ComparisonStatus {
  readonly peer: string;
  /** From 1: it goes on until nothing older than a second is missing. */
  readonly round: number;
  /** How far the round is, 0 to 99. */
  readonly percent: number;
  /** How many flows the peer has, as far as is known; null: it is listing them for the first time. */
  readonly flows: number | null;
  /** How many of them were missing here at the end of the round before; null: there was none. */
  readonly missing: number | null;
}

export interface CommitStatus {
  /** When it ended, ISO 8601. */
  readonly at: string;
  /** That waited for it. */
  readonly groups: readonly string[];
  /** States that are in the kernel since; null: conntrackd doesn't tell. */
  readonly committed: number | null;
  /** States that the kernel refused; null likewise. */
  readonly refused: number | null;
  /** Milliseconds that it took. */
  readonly ms: number;
  /** Why it isn't known to be done; null: it is. */
  readonly failure: string | null;
}

/** The groups of a status. `reasons` are the last round's decisions. */
export const groupStatuses = (
  snapshot: Snapshot,
  reasons: readonly Decision[],
  since: (group: string) => string | null,
): readonly GroupStatus[] =>
  snapshot.groups.map((group) => ({
    name: group.name,
    home: group.home,
    buckets: group.buckets.length,
    owner: ownerOf(snapshot, group),
    role: group.active > 0 ? 'owner' : 'replica',
    synced: group.synced,
    since: since(group.name),
    reason: reasonOf(group, reasons),
  }));

const ownerOf = (snapshot: Snapshot, group: GroupView): string | null =>
  group.active > 0
    ? snapshot.node
    : (snapshot.peers.find((peer) => peer.reachable && peer.owns.has(group.name))?.name ?? null);
