import type { Group } from './groups.ts';

/** What a node is for a group: the one that filters it, or one that holds its states and drops its packets. */
export type Role = 'owner' | 'replica';

/** Everything that a decision looks at, read once a round. Times are milliseconds of one monotonic clock. */
export interface Snapshot {
  readonly now: number;
  readonly node: string;
  readonly manager: ManagerView;
  readonly groups: readonly GroupView[];
  readonly peers: readonly PeerView[];
  readonly timeouts: {
    readonly peer: number;
    readonly disagree: number;
    readonly holddown: number;
    /** How long a keepalived that hears no other takes to say MASTER. */
    readonly elect: number;
    /** How long a node that Pacemaker has demoted serves on until another asks. */
    readonly linger: number;
  };
  /** How long this agent has listened to its peers. */
  readonly listening: number;
  /** Data interfaces of this node that carry nothing, as the configuration names them. */
  readonly lost: ReadonlySet<string>;
  /** For how long one of them has been lost; 0: none is. */
  readonly lostFor: number;
  /** The operator wants this node to own nothing while a peer can. */
  readonly drained: boolean;
  /** Whose connection tables are filling, and whose lack the room for what all nodes hold; this node may be among them. */
  readonly tables: { readonly fill: ReadonlySet<string>; readonly lack: ReadonlySet<string> };
}

export interface ManagerView {
  readonly kind: 'keepalived' | 'pacemaker' | 'none';
  /** Whether it runs on this node. `none` always does. */
  readonly alive: boolean;
}

/** One group as this node sees it. */
export interface GroupView extends Group {
  /** How many of its buckets are in the kernel's `owned` set of this node. */
  readonly active: number;
  readonly wanted: Wanted | undefined;
  /** The manager's own last word, also where the operator has overruled it. */
  readonly said: Wanted | undefined;
  /** Whether this node holds the owner's states: compared, not guessed. */
  readonly synced: boolean;
  /** This node's own request for it, if one is under way. */
  readonly asked: Asked | undefined;
  /** A peer's request for it that has no answer yet. */
  readonly request: Request | undefined;
  /** Since when another node has owned it together with this one. */
  readonly contested: number | undefined;
  /** When this node last activated or deactivated it. */
  readonly changed: number | undefined;
  /** The peer that it was given to then, if it was. */
  readonly heir?: string | undefined;
  /** This node has stood still while it owned it, and a peer may have taken it over meanwhile. */
  readonly doubt: Doubt | undefined;
}

export interface Doubt {
  readonly reason: string;
  /** For how long this node stood still; Infinity: its clock did too, and nobody knows. */
  readonly milliseconds: number;
}

/** The manager's or the operator's word for a group. */
export interface Wanted {
  readonly role: Role;
  readonly since: number;
  /** `start`: the home groups of a node without a manager that has just been started. */
  readonly by: 'keepalived' | 'pacemaker' | 'operator' | 'start';
  /** Its own word: MASTER, BACKUP, FAULT, STOP; PROMOTED, UNPROMOTED, STOPPED; takeover, release. */
  readonly word: string;
  /** The operator accepts the loss that a refusal would have prevented. */
  readonly force: boolean;
}

/** Whether a manager says so, and not the operator. */
export const isManagers = ({ by }: Wanted): boolean => by === 'keepalived' || by === 'pacemaker';

/** Whether the operator has taken the group here though a manager decides: `takeover --force`. */
export const isForced = (
  { manager }: Pick<Snapshot, 'manager'>,
  { wanted }: Pick<GroupView, 'wanted'>,
): boolean => manager.kind !== 'none' && wanted?.by === 'operator' && wanted.role === 'owner';

export interface Asked {
  readonly since: number;
  readonly peer: string;
  readonly answer: { readonly granted: boolean; readonly reason: string; readonly at: number } | undefined;
}

export interface Request {
  readonly from: string;
  readonly since: number;
  /** Whether the peer holds the states. */
  readonly synced: boolean;
}

/** A peer as its last authenticated status tells. */
export interface PeerView {
  readonly name: string;
  /** Heard within `timeouts.peer`. */
  readonly reachable: boolean;
  /** Milliseconds since it was last heard; Infinity: never. */
  readonly silent: number;
  /** It hasn't been heard since this node stood still. */
  readonly stale: boolean;
  readonly managerAlive: boolean;
  readonly owns: ReadonlySet<string>;
  /** Groups whose owner its manager wants it to be. */
  readonly wants: ReadonlySet<string>;
  /** Groups that its operator has taken against the managers, until its own manager's next word. */
  readonly forced: ReadonlySet<string>;
  /** Groups that it owns or whose states it holds. */
  readonly synced: ReadonlySet<string>;
  /** Data interfaces of it that carry nothing. */
  readonly lost: ReadonlySet<string>;
  /** Its operator wants it to own nothing. */
  readonly drained: boolean;
}
