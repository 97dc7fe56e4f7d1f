import type { Group } from '../cluster/groups.ts';
import type { GroupView, PeerView, Role, Snapshot, Wanted } from '../cluster/snapshot.ts';
import type { StatusMessage } from '../peers/message.ts';
import { Doubts } from './doubts.ts';
import { PeerMemories } from './peer-memory.ts';
import { Questions } from './questions.ts';

/** How long a lost interface counts as one that may come back at once: peers that lose the same one notice it too. */
const SETTLE_MS = 100;

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
  readonly #contested = new Map<string, number>();
  readonly #changed = new Map<string, number>();
  readonly #peers: PeerMemories;
  /** The owner whose states this node holds, by group, and when that was known last. */
  readonly #synced = new Map<string, { readonly owner: string; readonly at: number }>();
  /** How long that is believed while the owner can be compared with. */
  readonly #believed: number;
  /** The owners of whom it was believed for that long. */
  readonly #lapsed = new Set<string>();
  /** Since when each data interface that is lost now has been. */
  readonly #lost = new Map<string, number>();
  readonly #doubts = new Doubts();
  readonly questions = new Questions();
  #drained = false;
  #tables: Snapshot['tables'] = { fill: new Set(), lack: new Set() };
  /** The peer that each group was given to last. */
  readonly #heirs = new Map<string, string>();

  /** @param believed milliseconds for which a comparison's result counts while its owner can be reached */
  constructor(
    node: string,
    groups: readonly Group[],
    peers: readonly string[],
    timeouts: Snapshot['timeouts'],
    now: number,
    believed = Number.POSITIVE_INFINITY,
  ) {
    this.#believed = believed;
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

  /** Whether a node's connection table lacks room: what that has refused it goes on asking for. */
  get lacksRoom(): boolean {
    return this.#tables.lack.size > 0;
  }

  /** Whose connection tables are filling, and whose lack room. */
  tables(tables: Snapshot['tables']): void {
    this.#tables = tables;
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
    this.questions.stoodStill(passed);
    this.#doubts.stoodStill(milliseconds, groups, now, clock);
  }

  /** A peer's answer to what this node asked of it. */
  answered(group: string, peer: string, id: number, granted: boolean, reason: string, now: number): void {
    this.questions.answered(group, peer, id, granted, reason, now);
    if (granted) {
      this.#peers.gaveUp(peer, group);
    }
  }

  /** This node became its owner or stopped being it. `heir` is the peer that owns it from now on. */
  changed(group: string, now: number, heir?: string): void {
    this.#changed.set(group, now);
    this.questions.forget(group);
    this.#contested.delete(group);
    const doubtful = this.#doubts.of(group, now) !== undefined;
    this.#doubts.settle(group);
    heir === undefined ? this.#heirs.delete(group) : this.#heirs.set(group, heir);
    // What was owned until now is held in full, unless it was in doubt; the heir only adds to it.
    heir === undefined || doubtful
      ? this.#synced.delete(group)
      : this.#synced.set(group, { owner: heir, at: now });
  }

  /** A comparison with `owner` found everything here that it owns. */
  synced(groups: readonly string[], owner: string, now: number): void {
    this.#lapsed.delete(owner);
    for (const group of groups) {
      this.#synced.set(group, { owner, at: now });
    }
  }

  /** Whether what a comparison with `owner` found has become too old to count, and none has been made since. */
  hasLapsed(owner: string): boolean {
    return this.#lapsed.has(owner);
  }

  /** The states of `owner` (of everybody, if undefined) can't be trusted any more. */
  unsynced(owner?: string): void {
    for (const [group, held] of this.#synced) {
      if (owner === undefined || held.owner === owner) {
        this.#synced.delete(group);
      }
    }
    owner === undefined ? this.#lapsed.clear() : this.#lapsed.delete(owner);
  }

  /** Whether a peer says that its conntrackd is unfit. */
  isUnfit(peer: string): boolean {
    return this.#peers.unfit(peer);
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
      tables: this.#tables,
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
    // A dead owner's last word may still be known when another has taken over.
    const owners = peers.filter((peer) => peer.reachable && peer.owns.has(name));
    if (active === 0 && owners.length > 0) {
      this.#age(name, owners, now);
    }
    const holder = this.#synced.get(name)?.owner;
    return {
      active,
      wanted: this.#wantedOf(name),
      said: this.#wanted.get(name),
      synced:
        active === group.buckets.length ||
        (holder !== undefined && owners.every((owner) => owner.name === holder)),
      asked: this.questions.asked(name),
      request: this.questions.requestFor(name),
      contested: this.#contested.get(name),
      changed: this.#changed.get(name),
      heir: this.#heirs.get(name),
      doubt: this.#doubts.of(name, now),
      ...group, // last: V8 takes a hundred times longer to add this many properties to a copy
    };
  }

  /** Nobody can be compared with a silent owner: what was held when it fell silent goes on counting. */
  #age(group: string, owners: readonly { readonly name: string }[], now: number): void {
    const held = this.#synced.get(group);
    if (held !== undefined && now - held.at > this.#believed) {
      this.#synced.delete(group);
      // What it held of a former owner counts for nothing.
      if (owners.some(({ name }) => name === held.owner)) this.#lapsed.add(held.owner);
    }
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
      this.questions.forget(group);
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
