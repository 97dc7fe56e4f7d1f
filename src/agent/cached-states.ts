import { type Copies, cachedCopies } from '../transitions/copies.ts';
import type { Edges, ExternalCache, Sorting } from '../transitions/edges.ts';
import { purge } from '../transitions/purge.ts';
import type { OwnerPeer } from './replicas.ts';
import type { UpkeepHost } from './upkeep-host.ts';

/**
 * Keeps conntrackd's external cache right, with `replicas: cache`: the peer's flows stand in it and none of this node's own,
 * since the next commit would replace those by old copies.
 *
 * A commit puts the peer's flows into the kernel too that the peer goes on owning. They stay there until a comparison has
 * found the cache whole again: until then they are all that this node has of them.
 */
export class CachedStates {
  readonly #external: ExternalCache;
  readonly #edges: Edges;
  readonly #sorting: () => Sorting;
  readonly #host: UpkeepHost;
  /** Own flows stand in the cache. */
  #mixed = false;
  /** The cache was emptied, and the peers have not been asked to fill it. */
  #empty = false;
  /** The kernel may hold flows of buckets that peers own. */
  #leftovers = true;

  constructor(external: ExternalCache, edges: Edges, sorting: () => Sorting, host: UpkeepHost) {
    this.#external = external;
    this.#edges = edges;
    this.#sorting = sorting;
    this.#host = host;
  }

  /** What was committed is this node's own now. At once: the next commit must find nothing of it. */
  tookOver(): void {
    this.#mixed = true;
    // What fails is done again by `work`.
    this.#flush().catch(() => {});
  }

  /** Flows that this node doesn't own stand in its kernel: it has committed them, or has owned them. */
  committed(): void {
    this.#leftovers = true;
  }

  /** A new conntrackd has an empty cache. */
  restarted(): void {
    this.#mixed = false;
    this.#empty = true;
  }

  /** Empties it: what is in it may be stale. */
  async forget(): Promise<void> {
    await this.#flush();
    this.#empty = false; // who joins asks by himself
  }

  /** Does what is due. Returns whether something was. */
  async work(owners: readonly OwnerPeer[]): Promise<boolean> {
    if (this.#mixed) {
      await this.#flush();
      return true;
    }
    if (this.#empty && owners.length > 0) {
      this.#fill(owners);
      return true;
    }
    return false;
  }

  /** The node owns everything: whatever has come into the cache since is of no use to it. */
  async ownsAll(): Promise<void> {
    if ((await this.#external.count()) > 0) {
      this.#host.note('info', "conntrackd's external cache holds flows that this node owns: emptying it");
      await this.#external.flush();
    }
  }

  copiesOf(peer: OwnerPeer): Copies {
    return cachedCopies(this.#external, () => this.#host.askBulk(peer));
  }

  /** The cache holds all that `peer` owns. What of it stands in the kernel is no longer needed, and can only get old. */
  async whole(peer: OwnerPeer, signal: AbortSignal, silent: () => boolean): Promise<void> {
    if (!this.#leftovers || !silent()) {
      return;
    }
    // What nobody owns yet may be taken over by a peer that has yet to send it.
    this.#leftovers = !this.#covers(peer);
    const foreign = (bucket: number): boolean =>
      peer.buckets.has(bucket) && this.#host.foreign(bucket) && silent();
    const removed = await purge(this.#edges, this.#sorting(), foreign, signal);
    this.#leftovers ||= signal.aborted;
    this.#host.note('debug', `${removed} entries of what ${peer.name} owns purged from the kernel`);
  }

  /** Whether `peer` owns all that this node doesn't. */
  #covers(peer: OwnerPeer): boolean {
    const { buckets } = this.#sorting().hashing;
    return Array.from({ length: buckets }, (_, bucket) => bucket).every(
      (bucket) => this.#host.owns(bucket) || peer.buckets.has(bucket),
    );
  }

  async #flush(): Promise<void> {
    await this.#external.flush();
    this.#mixed = false;
    this.#empty = true;
  }

  #fill(owners: readonly OwnerPeer[]): void {
    this.#empty = false;
    for (const owner of owners) {
      this.#host.askBulk(owner);
    }
  }
}
