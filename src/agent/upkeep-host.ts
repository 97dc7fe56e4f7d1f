import type { Step } from '../transitions/steps.ts';
import type { OwnersList, Verification, VerificationProgress } from '../transitions/verify.ts';
import type { RecallsHost } from './recalls.ts';
import type { OwnerPeer } from './replicas.ts';
import type { TouchingHost } from './touching.ts';

/** What the upkeep asks the rest of the agent, always about this very moment. */
export interface UpkeepHost extends RecallsHost, TouchingHost {
  /** conntrackd's internal cache held so few of this node's own flows: somebody has emptied it. All stand in it again. */
  readonly emptied: (held: number, flows: number) => void;
  /** `recall` is called before it resolves, if that is due. */
  readonly lookForFlush: () => Promise<void>;
  /** Whether a reachable peer owns the bucket and this node doesn't. */
  readonly foreign: (bucket: number) => boolean;
  /** The reachable peers that own something. */
  readonly owners: () => readonly OwnerPeer[];
  readonly listOf: (peer: OwnerPeer, signal: AbortSignal) => Promise<OwnersList>;
  readonly askBulk: (peer: OwnerPeer) => void;
  readonly verified: (peer: OwnerPeer, result: Verification) => void;
  /** No comparison with the peer could be made for long, though it can be reached; `reason` is the last one's. */
  readonly unverifiable: (peer: OwnerPeer, reason: string) => void;
  /** Whether this node's conntrackd replicates, as far as is known: what is compared over another one says nothing. */
  readonly fit: () => boolean;
  /** Whether the kernel refuses states of a peer now. */
  readonly refusing: () => boolean;
  /** How far a comparison is; undefined: it has ended, however. */
  readonly comparing: (peer: OwnerPeer, progress: VerificationProgress | undefined) => void;
  /** conntrackd was started anew or went away: nothing that a peer sent meanwhile has come in. */
  readonly interrupted: () => void;
  /** This node's tables are right, or will be compared: a restarted agent needn't begin anew. */
  readonly joined: () => void;
  /** Called before each step, and after it. */
  readonly reach: (step: Step) => void;
  readonly done: (step: Step) => void;
  readonly note: (level: 'debug' | 'info' | 'warn', text: string) => void;
}

export interface UpkeepTimes {
  /** Milliseconds between two rounds of touching flows, as the timeouts are now. */
  readonly refresh: () => number;
  /** Milliseconds between two verifications of a peer. */
  readonly verify: number;
  /** Milliseconds that one verification may take. */
  readonly verifyBound: number;
  /** Milliseconds for which a reachable peer may not be comparable with. */
  readonly unverifiable: number;
}
