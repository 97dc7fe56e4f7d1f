import type { Group } from '../cluster/groups.ts';
import type {
  Asked,
  Doubt,
  GroupView,
  PeerView,
  Request,
  Role,
  Snapshot,
  Wanted,
} from '../cluster/snapshot.ts';
import type { StatusMessage } from '../peers/message.ts';
import { PeerMemories } from './peer-memory.ts';

/** How long a lost interface counts as one that may come back at once: peers that lose the same one notice it too. */
const SETTLE_MS = 200;
/** How long a node that stood still doubts that what it owns is still its own. */
const DOUBT_MS = 10_000;

/**
 * What events have told the agent, kept between rounds. Events only write here and wake the loop; nothing here acts. What
 * the kernel knows (the owned buckets) is not kept: every round reads it.
 */
export class Memory {
  readonly #node: string;
  readonly #groups: readonly Group[];
  readonly #timeouts: Snapshot['timeouts'];
  #began: number;
  readonly #wanted = new Map<string, Wanted>();
  /** The operator's words against the manager's. */
  readonly #overruling = new Map<string, Wanted>();
  readonly #asked = new Map<string, Asked & { readonly id: number }>();
  readonly #requests = new Map<string, Request & { readonly id: number }>();
  readonly #contested = new Map<string, number>();
  readonly #changed = new Map<string, number>();
  readonly #peers: PeerMemories;
  /** The owner whose states this node holds, by group. */
  readonly #synced = new Map<string, string>();
  /** Since when each data interface that is lost now has been. */
  readonly #lost = new Map<string, number>();
  readonly #doubts = new Map<string, Doubt & { readonly since: number }>();
  #drained = false;
  /** The peer that each group was given to last. */
  readonly #heirs = new Map<string, string>();

  constructor(
    node: string,
    groups: readonly Group[],
    peers: readonly string[],
    timeouts: Snapshot['timeouts'],
    now: number,
  ) {
    this.#node = node;
    this.#groups = groups;
    this.#timeouts = timeouts;
    this.#began = now;
    this.#peers = new PeerMemories(peers, timeouts.peer);
  }

  /** The newest word: the manager's, or without one anybody's. A different role begins a new hand-over. */
  want(group: string, wanted: Wanted): void {
    this.#change(group, () => {
      const before = this.#wanted.get(group);
      const repeated = before !== undefined && isSame(before, wanted) && before.word === wanted.word;
      this.#wanted.set(group, repeated ? { ...wanted, since: before.since } : wanted);
    });
  }

  /**
   * The manager is gone: what it was MASTER for it no longer is, also when it runs again and has yet to say anything.
   * Returns the words that came of it.
   */
  managerGone(now: number): ReadonlyMap<string, Wanted> {
    const gone = [...this.#wanted].filter(([, { by, role }]) => by === 'keepalived' && role === 'owner');
    const words = new Map(
      gone.map(([group]) => [group, wantedBy('keepalived', 'NOT-MASTER', 'replica', now)] as const),
    );
    for (const [group, wanted] of words) {
      this.want(group, wanted);
    }
    return words;
  }

  /** That word holds no longer: a peer's operator has taken the group. */
  forget(group: string): void {
    this.#wanted.delete(group);
  }

  /** The operator's word counts instead of the manager's; undefined: no longer. */
  overrule(group: string, wanted: Wanted | undefined): void {
    this.#change(group, () => {
      wanted === undefined ? this.#overruling.delete(group) : this.#overruling.set(group, wanted);
    });
  }

  /** The operator's words that count instead of the manager's, by group. */
  get overruling(): ReadonlyMap<string, Wanted> {
    return this.#overruling;
  }

  /** A peer's status. Returns whether anything changed that a decision looks at. */
  heard(peer: string, session: string, status: StatusMessage, now: number): boolean {
    return this.#peers.heard(peer, session, status, now);
  }

  /** Any message of a reachable peer says that it lives. One that comes back is noticed by its status. */
  spoke(peer: string, now: number): void {
    this.#peers.spoke(peer, now);
  }

  /** The data interfaces that carry nothing now. */
  lose(interfaces: readonly string[], now: number): void {
    for (const name of this.#lost.keys()) {
      if (!interfaces.includes(name)) {
        this.#lost.delete(name);
      }
    }
    for (const name of interfaces.filter((name) => !this.#lost.has(name))) {
      this.#lost.set(name, now);
    }
  }

  /** All interfaces that are lost, also those that have just been. */
  get lost(): readonly string[] {
    return [...this.#lost.keys()];
  }

  drain(drained: boolean): void {
    this.#drained = drained;
  }

  get drained(): boolean {
    return this.#drained;
  }

  /**
   * This node has stood still for `milliseconds`: a peer may have taken over any of the groups that it owned. Nobody could
   * be heard meanwhile, so the peers' silence doesn't count.
   *
   * @param clock whether this node's clock went on
   */
  stoodStill(milliseconds: number, groups: readonly string[], now: number, clock = true): void {
    const passed = clock ? milliseconds : 0;
    this.#began += passed;
    this.#peers.stoodStill(passed);
    for (const [group, asked] of this.#asked) {
      this.#asked.set(group, { ...asked, since: asked.since + passed });
    }
    const reason = `this node stood still for ${(milliseconds / 1000).toFixed(1)} s`;
    for (const group of groups) {
      this.#doubts.set(group, {
        reason,
        milliseconds: clock ? milliseconds : Number.POSITIVE_INFINITY,
        since: now,
      });
    }
  }

  ask(group: string, peer: string, id: number, now: number): void {
    this.#asked.set(group, { since: now, peer, id, answer: undefined });
  }

  asked(group: string): (Asked & { readonly id: number }) | undefined {
    return this.#asked.get(group);
  }

  /** An answer counts only for the question it belongs to. */
  answered(group: string, peer: string, id: number, granted: boolean, reason: string, now: number): void {
    const asked = this.#asked.get(group);
    if (asked?.peer === peer && asked.id === id && asked.answer === undefined) {
      this.#asked.set(group, { ...asked, answer: { granted, reason, at: now } });
    }
    if (granted) {
      this.#peers.gaveUp(peer, group);
    }
  }

  request(group: string, from: string, id: number, synced: boolean, now: number): void {
    const before = this.#requests.get(group);
    if (before !== undefined && before.from !== from) {
      return; // one after the other: it is said again until it is answered
    }
    const since = before?.id === id ? before.since : now;
    this.#requests.set(group, { from, id, synced, since });
  }

  /** The request that is now answered. */
  takeRequest(group: string): (Request & { readonly id: number }) | undefined {
    const request = this.#requests.get(group);
    this.#requests.delete(group);
    return request;
  }

  /** This node became its owner or stopped being it. `heir` is the peer that owns it from now on. */
  changed(group: string, now: number, heir?: string): void {
    this.#changed.set(group, now);
    this.#asked.delete(group);
    this.#contested.delete(group);
    const doubtful = this.#doubtOf(group, now) !== undefined;
    this.#doubts.delete(group);
    heir === undefined ? this.#heirs.delete(group) : this.#heirs.set(group, heir);
    // What was owned until now is held in full, unless it was in doubt; the heir only adds to it.
    heir === undefined || doubtful ? this.#synced.delete(group) : this.#synced.set(group, heir);
  }

  /** A comparison with `owner` found everything here that it owns. */
  synced(groups: readonly string[], owner: string): void {
    for (const group of groups) {
      this.#synced.set(group, owner);
    }
  }

  /** The states of `owner` (of everybody, if undefined) can't be trusted any more. */
  unsynced(owner?: string): void {
    for (const [group, holder] of this.#synced) {
      if (owner === undefined || holder === owner) {
        this.#synced.delete(group);
      }
    }
  }

  /** The peers as decisions see them. */
  peers(now: number): readonly PeerView[] {
    return this.#peers.views(now);
  }

  /** What a decision looks at, all read at one moment. */
  snapshot(owned: ReadonlySet<number>, manager: Snapshot['manager'], now: number): Snapshot {
    const peers = this.peers(now);
    const lost = [...this.#lost].filter(([, since]) => now - since >= SETTLE_MS);
    return {
      now,
      node: this.#node,
      manager,
      peers,
      timeouts: this.#timeouts,
      listening: now - this.#began,
      lost: new Set(lost.map(([name]) => name)),
      lostFor: Math.max(0, ...lost.map(([, since]) => now - since)),
      drained: this.#drained,
      groups: this.#groups.map((group) => this.#view(group, owned, peers, now)),
    };
  }

  #view(group: Group, owned: ReadonlySet<number>, peers: readonly PeerView[], now: number): GroupView {
    const { name } = group;
    const active = group.buckets.filter((bucket) => owned.has(bucket)).length;
    const rival = active > 0 && peers.some((peer) => peer.reachable && peer.owns.has(name));
    if (!rival) {
      this.#contested.delete(name);
    } else if (!this.#contested.has(name)) {
      this.#contested.set(name, now);
    }
    const holder = this.#synced.get(name);
    // A dead owner's last word may still be known when another has taken over.
    const owners = peers.filter((peer) => peer.reachable && peer.owns.has(name));
    return {
      active,
      wanted: this.#wantedOf(name),
      said: this.#wanted.get(name),
      synced:
        active === group.buckets.length ||
        (holder !== undefined && owners.every((owner) => owner.name === holder)),
      asked: this.#asked.get(name),
      request: this.#requests.get(name),
      contested: this.#contested.get(name),
      changed: this.#changed.get(name),
      heir: this.#heirs.get(name),
      doubt: this.#doubtOf(name, now),
      ...group, // last: V8 takes a hundred times longer to add this many properties to a copy
    };
  }

  #doubtOf(group: string, now: number): Doubt | undefined {
    const doubt = this.#doubts.get(group);
    return doubt !== undefined && now - doubt.since < DOUBT_MS ? doubt : undefined;
  }

  #wantedOf(group: string): Wanted | undefined {
    return this.#overruling.get(group) ?? this.#wanted.get(group);
  }

  /** What was asked for belongs to a word that counts no more. */
  #change(group: string, act: () => void): void {
    const before = this.#wantedOf(group);
    act();
    const after = this.#wantedOf(group);
    if (before === undefined || after === undefined || !isSame(before, after)) {
      this.#asked.delete(group);
    }
  }
}

const isSame = (one: Wanted, other: Wanted): boolean =>
  one.role === other.role && one.by === other.by && one.force === other.force;

/** The word for a role that the operator or the start wants. */
export const wantedBy = (
  by: Wanted['by'],
  word: string,
  role: Role,
  since: number,
  force = false,
): Wanted => ({ by, word, role, since, force });
