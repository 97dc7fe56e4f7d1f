import type { Group } from '../cluster/groups.ts';
import { type Warning, warningText } from '../cluster/warning.ts';
import type { ComparisonStatus, VerifiedStatus } from '../observe/status.ts';
import type { Logger } from '../system/log.ts';
import type { Verification, VerificationProgress } from '../transitions/verify.ts';
import type { Memory } from './memory.ts';

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
  readonly #results = new Map<string, VerifiedStatus>();
  #comparison: { readonly peer: string; readonly progress: VerificationProgress } | undefined;

  /** @param owned the buckets that are active in this node's kernel now */
  constructor(groups: readonly Group[], memory: Memory, log: Logger, owned: () => ReadonlySet<number>) {
    this.#groups = groups;
    this.#memory = memory;
    this.#log = log;
    this.#owned = owned;
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

  /** Takes a comparison down. Returns whether this node holds the states of the peer now. */
  note(peer: OwnerPeer, { synced, flows, missing, removed, rounds }: Verification): boolean {
    const before = this.#results.get(peer.name);
    const at = new Date().toISOString();
    this.#results.set(peer.name, { peer: peer.name, synced, flows, missing, at });
    if (synced) {
      this.#memory.synced(peer.groups, peer.name);
      const text = `holds the states of ${peer.name}: ${flows} flows compared in ${rounds} rounds, ${removed} stale ones removed`;
      this.#log[before?.synced ? 'debug' : 'info'](text);
    } else {
      this.#memory.unsynced(peer.name);
      this.#log.warn(warningText(notSynced({ peer: peer.name, flows, missing })));
    }
    return synced;
  }

  /** What came before may be incomplete: the peer was away. */
  distrust(peer: string): void {
    this.#memory.unsynced(peer);
    this.#results.delete(peer);
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
    return this.results.filter(({ synced }) => !synced).map(notSynced);
  }

  /** The last comparison with each peer. */
  get results(): readonly VerifiedStatus[] {
    return [...this.#results.values()];
  }
}

const notSynced = ({
  peer,
  flows,
  missing,
}: Pick<VerifiedStatus, 'peer' | 'flows' | 'missing'>): Warning => ({
  code: 'not-synced',
  object: peer,
  text: `${missing} of ${flows} flows of ${peer} are still missing here; not synced`,
});

/** One half is the owner's list, as long as the last one; the other this node's table. 100 is a round that has ended. */
const percentOf = ({ listed, found }: VerificationProgress, flows = 0): number =>
  flows === 0 ? 0 : Math.min(99, Math.floor((50 * (Math.min(listed, flows) + found)) / flows));
