import type { Flow, Tuple } from '../cluster/flow.ts';
import type { Readiness } from '../cluster/readiness.ts';
import type { Warning } from '../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import type { WatchedParts } from '../dataplane/link-watch.ts';
import type { OthersWatch } from '../dataplane/others/watch.ts';
import type { PartsWatch } from '../dataplane/parts-watch.ts';
import type { SurroundingsWatch } from '../dataplane/surroundings/watch.ts';
import type { WatchedAgent } from '../dataplane/watched-agent.ts';
import type { ConfWatch } from '../managers/keepalived/conf-watch.ts';
import type { Status } from '../observe/status.ts';
import type { Logger } from '../system/log.ts';
import type { Edges, Sorting } from '../transitions/edges.ts';
import type { Step } from '../transitions/steps.ts';
import type { OwnersList } from '../transitions/verify.ts';
import type { ArrivalsWatch } from './arrivals-watch.ts';
import type { EventsFile } from './events-file.ts';
import type { AgentFiles } from './files.ts';
import type { LegProofs } from './leg-proofs.ts';
import type { PeerClocks } from './peer-clocks.ts';
import type { RangeWatch } from './range-watch.ts';
import type { OwnerPeer } from './replicas.ts';
import type { RoomWatch } from './room-watch.ts';
import type { SharedAddressesAnnouncer } from './shared-addresses-announcer.ts';
import type { StandStill } from './stand-still.ts';
import type { StrangersWatch } from './strangers-watch.ts';
import type { GuardedTables } from './table-guard.ts';

/** What the agent is made of. All of it acts on real parts; the lab's broken agents wrap some of it. */
export interface AgentParts {
  readonly config: ClusterConfig;
  readonly node: NodeConfig;
  readonly key: Buffer;
  readonly edges: Edges;
  readonly sorting: () => Sorting;
  /** Whether SNAT finds ports. */
  readonly ranges: Pick<RangeWatch, 'refused' | 'warnings'>;
  /** Whether the nodes' connection tables have room. */
  readonly room: Pick<RoomWatch, 'begin' | 'own' | 'heard' | 'counted' | 'gaveUp' | 'warnings' | 'close'>;
  /** What the data plane has put on the interfaces. */
  readonly presence: WatchedParts & Pick<PartsWatch, 'warnings' | 'failures'>;
  /** Whether frames to the shared MACs reach this node. */
  readonly legs: Pick<LegProofs, 'look' | 'problem' | 'told' | 'report' | 'status' | 'warnings'>;
  /** Whether packets to the shared MACs do. */
  readonly arrivals: Pick<ArrivalsWatch, 'own' | 'told' | 'warnings'>;
  /** Has whatever is missing on the interfaces mended at once. */
  readonly mendNow: () => Promise<void>;
  /** What the cluster needs of this machine and doesn't own. */
  readonly surroundings: Pick<SurroundingsWatch, 'warnings' | 'close'>;
  /** Who else uses what is this cluster's. */
  readonly strangers: Pick<StrangersWatch, 'warnings' | 'own' | 'told' | 'claimed' | 'close'>;
  /** What other programs on this machine do to the cluster's packets. */
  readonly others: Pick<OthersWatch, 'warnings' | 'close'>;
  /** What the site's keepalived.conf lacks. */
  readonly keepalivedConf: Pick<ConfWatch, 'warnings'>;
  /** Our tables in the kernel. */
  readonly tables: GuardedTables;
  /** Where the kernel watches whether this agent plays its rounds. */
  readonly watched: Pick<WatchedAgent, 'isDue' | 'showLife'>;
  readonly files: AgentFiles;
  readonly log: Logger;
  /** Keeps the steps of transitions. */
  readonly events: EventsFile;
  /** Called before each step; the lab ends the agent there. */
  readonly reach: (step: Step) => void;
  /** Whether no agent has joined since the data plane was loaded: nothing in this node's tables can be trusted. */
  readonly fresh: boolean;
  /** Takes down that it has now. */
  readonly noteJoined: () => void;
  /** Milliseconds between two rounds of keeping replicas' copies from expiring, as the kernel's timeouts are now. */
  readonly refresh: () => number;
  /** Milliseconds between two comparisons with a peer. */
  readonly verify: number;
  /** Milliseconds that the kernel keeps a bucket owned without the agent; 0: for ever. */
  readonly lease: number;
  /** Whether this agent stays: hooks and keepalived look at its heartbeat. */
  readonly resident: boolean;
  /** How many flows the kernel holds, for the log. */
  readonly flowCount: () => number;
  readonly conntrackdHealth: () => Status['conntrackd'];
  /** Asks conntrackd at once whether it was ordered to delete the kernel's flows. */
  readonly lookForFlush: () => Promise<void>;
  /** What that has told of is dealt with: no later agent needs to hear of it. */
  readonly flushDealtWith: () => void;
  /** The kernel's entries of these original tuples, in their order; undefined: there is none. */
  readonly find: (tuples: readonly Tuple[]) => Promise<readonly (Flow | undefined)[]>;
  /** Seconds that the kernel keeps ended TCP connections, of each kind of ending, as they are now. */
  readonly endings: () => readonly number[];
  /** What is wrong with conntrackd. */
  readonly conntrackdWarnings: () => readonly Warning[];
  /** Tells the manager whether this node is ready for a group that it owns or not. */
  readonly announce: (readiness: Readiness, owned: boolean) => void;
  /** Tells neighbours which MAC the shared addresses have. */
  readonly neighbours: Pick<SharedAddressesAnnouncer, 'announce'>;
  /** Notices that this process stood still. */
  readonly standStill: Pick<StandStill, 'look'>;
  /** Notices by the peers that this node's clock stood still. */
  readonly clocks: Pick<PeerClocks, 'heard' | 'awoke'>;
  /** Answers a peer's hand-over word. */
  readonly answerWord: (send: () => void) => void;
  /** Asks an owner for all its states. */
  readonly askBulk: (send: () => void) => void;
  /** Asks an owner for the list of its flows. */
  readonly listOf: (peer: OwnerPeer, signal: AbortSignal) => Promise<OwnersList>;
  /** Asks a peer for the list of its copies of the flows in these buckets, which this node owns. */
  readonly copiesAt: (peer: string, buckets: readonly number[], signal: AbortSignal) => Promise<OwnersList>;
}
