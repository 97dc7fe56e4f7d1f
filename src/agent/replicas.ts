import type { Group } from '../cluster/groups.ts';
import type { Warning } from '../cluster/warning.ts';
import { isFit } from '../conntrackd/health.ts';
import type { ComparisonStatus, Status, VerifiedStatus } from '../observe/status.ts';
import type { Logger } from '../system/log.ts';
import type { Verification, VerificationProgress } from '../transitions/verify.ts';
import type { Memory } from './memory.ts';
import { NotSynced } from './not-synced.ts';

/** A conntrackd that is started anew is away for less. */
const AWAY_MS = 2000;

/** A peer whose buckets this node is a replica of. */
export interface OwnerPeer {
  readonly name: string;
  readonly groups: readonly string[];
  readonly buckets: ReadonlySet<number>;
}

/** Of whom this node is a replica at this moment, and what the comparisons with them found. */
export class Replicas {
  readonly #groups: readonly Group[];
  readonly #groupOf: readonly (Group | undefined)[];
  readonly #memory: Memory;
  readonly #log: Logger;
  readonly #owned: () => ReadonlySet<number>;
  readonly #conntrackd: () => Status['conntrackd'];
  readonly #notSynced: NotSynced;
  readonly #results = new Map<string, VerifiedStatus>();
  /** Since when conntrackd hasn't been fit; undefined: it is. */
  #unfitSince: number | undefined;
  #away = false;
  #comparison: { readonly peer: string; readonly progress: VerificationProgress } | undefined;

  /**
   * @param owned the buckets that are active in this node's kernel now
   * @param conntrackd how this node's fares
   */
  constructor(
    groups: readonly Group[],
    memory: Memory,
    log: Logger,
    owned: () => ReadonlySet<number>,
    conntrackd: () => Status['conntrackd'] = () => 'ok',
  ) {
    this.#groups = groups;
    this.#memory = memory;
    this.#log = log;
    this.#owned = owned;
    this.#conntrackd = conntrackd;
    this.#notSynced = new NotSynced(log);
    const groupOf: Group[] = [];
    for (const group of groups) {
      for (const bucket of group.buckets) {
        groupOf[bucket] = group;
      }
    }
    this.#groupOf = groupOf;
  }

  /** The reachable peers that own something which this node doesn't. */
  owners(): readonly OwnerPeer[] {
    const owned = this.#owned();
    return this.#memory
      .peers(performance.now())
      .filter((peer) => peer.reachable)
      .map((peer) => {
        const groups = this.#groups.filter(
          (group) => peer.owns.has(group.name) && !group.buckets.some((bucket) => owned.has(bucket)),
        );
        return {
          name: peer.name,
          groups: groups.map(({ name }) => name),
          buckets: new Set(groups.flatMap(({ buckets }) => buckets)),
        };
      })
      .filter((peer) => peer.groups.length > 0);
  }

  /** Whether a reachable peer owns the bucket, and this node doesn't. */
  isForeign(bucket: number): boolean {
    const group = this.#groupOf[bucket];
    return (
      group !== undefined &&
      !this.#owned().has(bucket) &&
      this.#memory.peers(performance.now()).some((peer) => peer.reachable && peer.owns.has(group.name))
    );
  }

  /** Whether that peer is reachable and owns the bucket, and this node doesn't. */
  isOwnedBy(owner: string, bucket: number): boolean {
    const group = this.#groupOf[bucket];
    return (
      group !== undefined &&
      !this.#owned().has(bucket) &&
      this.#memory
        .peers(performance.now())
        .some((peer) => peer.name === owner && peer.reachable && peer.owns.has(group.name))
    );
  }

  /**
   * Takes a comparison down. Returns whether this node holds the states of the peer now.
   *
   * @param refused how many states the kernel has refused, if it goes on doing so
   */
  note(peer: OwnerPeer, { flows, missing, removed, rounds, ...result }: Verification, refused = 0): boolean {
    const before = this.#results.get(peer.name);
    const at = new Date().toISOString();
    const unfit = this.#memory.isUnfit(peer.name);
    const synced = result.synced && !unfit;
    this.#results.set(peer.name, { peer: peer.name, synced, flows, missing, at });
    if (synced) {
      this.#memory.synced(peer.groups, peer.name, performance.now());
      const text = `holds the states of ${peer.name}: ${flows} flows compared in ${rounds} rounds, ${removed} stale ones removed`;
      this.#log[before?.synced ? 'debug' : 'info'](text);
      this.#notSynced.ended(peer.name);
    } else if (unfit) {
      this.#memory.unsynced(peer.name);
    } else {
      this.#memory.unsynced(peer.name);
      const what = `${missing} of ${flows} flows of ${peer.name} are still missing here; not synced`;
      const why =
        refused > 0
          ? `the kernel has refused ${refused} states: its table is full, or other entries have their place; conntrackd's log names them`
          : `see that conntrackd on ${peer.name} sends them and nothing between the nodes drops them`;
      const text = `${what}: a takeover would cut their connections; ${why}`;
      this.#notSynced.because(peer.name, refused > 0 ? 'refused' : 'missing', text);
    }
    return synced;
  }

  /** Nothing is known of what the peer owns, though it can be reached. */
  unverifiable({ name }: OwnerPeer, reason: string): void {
    this.#memory.unsynced(name);
    this.#notSynced.because(
      name,
      'unverifiable',
      `the flows of ${name} can't be compared; not synced: a takeover may cut connections; mend the comparison: ${reason}`,
    );
  }

  /** Whether this node's conntrackd has been anything but fit for longer than it takes to start it anew. */
  get away(): boolean {
    return this.#away;
  }

  /** What has ended by itself meanwhile. Called several times a second. */
  look(now: number): void {
    const owners = this.owners().map(({ name }) => name);
    for (const name of this.#notSynced.peers.filter((peer) => !owners.includes(peer))) {
      this.#notSynced.ended(name);
    }
    const state = this.#conntrackd();
    const fit = isFit(state);
    this.#unfitSince = fit ? undefined : (this.#unfitSince ?? now);
    this.#away = this.#unfitSince !== undefined && now - this.#unfitSince >= AWAY_MS;
    for (const name of owners) {
      if (this.#away) {
        this.#notSynced.because(
          name,
          'conntrackd',
          `conntrackd is ${state} here, so nothing of ${name}'s flows arrives; not synced: a takeover may cut connections; mend conntrackd`,
        );
      } else if (this.#memory.isUnfit(name)) {
        this.#memory.unsynced(name);
        this.#notSynced.because(
          name,
          "owner's conntrackd",
          `conntrackd is unfit on ${name}, so nothing of its flows arrives; not synced: a takeover may cut connections; mend conntrackd there`,
        );
      } else if (this.#hasMended(name)) {
        this.#notSynced.ended(name);
      } else if (this.#memory.hasLapsed(name) && this.#notSynced.lackOf(name) === undefined) {
        this.#notSynced.because(
          name,
          'lapsed',
          `no comparison with ${name} has come to an end for long; not synced: a takeover may cut connections; look for what slows the agents or conntrackd down`,
        );
      }
    }
  }

  /** What came before may be incomplete: the peer was away. */
  distrust(peer: string): void {
    this.#memory.unsynced(peer);
    this.#results.delete(peer);
    this.#notSynced.ended(peer);
  }

  /** Whether a conntrackd that kept states from coming is well again: the comparison tells whether they have come. */
  #hasMended(peer: string): boolean {
    const lack = this.#notSynced.lackOf(peer);
    return lack === 'conntrackd' || lack === "owner's conntrackd";
  }

  /** How far the comparison with a peer is; undefined: it has ended. */
  comparing(peer: OwnerPeer, progress: VerificationProgress | undefined): void {
    this.#comparison = progress && { peer: peer.name, progress };
  }

  /** The comparison that is under way; null: none. */
  get comparison(): ComparisonStatus | null {
    if (this.#comparison === undefined) {
      return null;
    }
    const { peer, progress } = this.#comparison;
    const flows = progress.flows ?? this.#results.get(peer)?.flows;
    return {
      peer,
      round: progress.round,
      percent: percentOf(progress, flows),
      flows: flows ?? null,
      missing: progress.missing ?? null,
    };
  }

  /** What keeps this node from holding the states of its peers. */
  get warnings(): readonly Warning[] {
    return this.#notSynced.warnings;
  }

  /** The last comparison with each peer. */
  get results(): readonly VerifiedStatus[] {
    return [...this.#results.values()];
  }
}

/** One half is the owner's list, as long as the last one; the other this node's table. 100 is a round that has ended. */
const percentOf = ({ listed, found }: VerificationProgress, flows = 0): number =>
  flows === 0 ? 0 : Math.min(99, Math.floor((50 * (Math.min(listed, flows) + found)) / flows));
