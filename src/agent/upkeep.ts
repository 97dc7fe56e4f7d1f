import { ConntrackdAbsent, ConntrackdStuck } from '../conntrackd/errors.ts';
import { type Copies, kernelCopies } from '../transitions/copies.ts';
import type { Edges, Sorting } from '../transitions/edges.ts';
import { purge } from '../transitions/purge.ts';
import { CacheFill } from './cache-fill.ts';
import { CachedStates } from './cached-states.ts';
import { Comparisons } from './comparisons.ts';
import { InternalCache } from './internal-cache.ts';
import { JobLoop } from './job-loop.ts';
import { Recalls } from './recalls.ts';
import { Refreshing } from './refreshing.ts';
import type { OwnerPeer } from './replicas.ts';
import { Touching } from './touching.ts';
import type { UpkeepHost, UpkeepTimes } from './upkeep-host.ts';

const RETRY_MS = 500;
/** How often conntrackd's identity is looked at: a restarted one must be disowned before a copy expires. */
const LOOK_MS = 100;

/** This node lacks flows of its own for a moment. */
export class StatesMissing extends Error {
  override readonly name = 'StatesMissing';
}

/**
 * Keeps conntrackd's internal cache and the replicas' copies right, behind the loop's back and interruptible at every
 * batch: one job at a time, chosen anew each time from what is due.
 */
export class Upkeep {
  readonly #edges: Edges;
  readonly #sorting: () => Sorting;
  readonly #host: UpkeepHost;
  /** With `replicas: cache`. */
  readonly #cached: CachedStates | undefined;
  readonly #internal: InternalCache;
  /** Copies of what peers own may be stale throughout: delete them and have them sent again. */
  #rejoining: boolean;
  readonly #refreshing: Refreshing;
  readonly #fill: CacheFill;
  readonly #touching: Touching;
  readonly #comparisons: Comparisons;
  readonly #recalls: Recalls;
  #failure = '';
  readonly #jobs = new JobLoop({
    work: (signal) => this.#work(signal),
    // conntrackd may be slow to answer, and its cache is nothing that a change of owner must wait for.
    harmless: () => this.#internal.disowning,
    failed: (error) => this.#complain(error),
    succeeded: () => {
      this.#failure = '';
    },
  });

  constructor(edges: Edges, sorting: () => Sorting, host: UpkeepHost, times: UpkeepTimes, fresh: boolean) {
    this.#edges = edges;
    this.#sorting = sorting;
    this.#host = host;
    this.#refreshing = new Refreshing(times.refresh);
    this.#rejoining = fresh;
    this.#comparisons = new Comparisons(
      {
        ...host,
        copiesOf: (peer) => this.#copiesOf(peer),
        // A comparison may take longer than a flow without a refresh lives.
        meanwhile: (signal) => this.#refreshIfDue(signal),
        interrupt: () => this.#jobs.interrupt(),
      },
      times,
    );
    this.#recalls = new Recalls(edges, sorting, host, (signal) => this.#refreshIfDue(signal));
    this.#cached = edges.external && new CachedStates(edges.external, edges, sorting, host);
    this.#fill = new CacheFill(host.emptied);
    this.#touching = new Touching(edges, sorting, host, this.#fill);
    this.#internal = new InternalCache(edges, this.#touching, {
      ...host,
      restarted: () => {
        this.#cached?.restarted();
        this.#comparisons.forget();
        host.interrupted();
      },
      touched: () => this.#refreshing.done(),
    });
  }

  /** The internal cache holds the owned flows and no others, as far as conntrackd has read of them. */
  get exact(): boolean {
    return this.#internal.exact;
  }

  /** Whether nothing urgent is left to do. */
  get idle(): boolean {
    return this.exact && !this.#rejoining;
  }

  start(): void {
    this.#jobs.start();
  }

  stop(): Promise<void> {
    return this.#jobs.stop();
  }

  /** Runs `action` while nothing is touched. For when this node stops being an owner. */
  hold<T>(action: () => Promise<T>): Promise<T> {
    return this.#jobs.hold(action);
  }

  /** This node has become an owner: its new flows are to be adopted. */
  tookOver(): void {
    // Who serves is no newcomer: its copies of what others own are compared, not thrown away.
    this.#join();
    this.#internal.grow();
    this.#jobs.interrupt();
  }

  /** Whatever the external cache held stands in the kernel now, and in the internal cache. */
  committed(): void {
    this.#internal.soil();
    this.#cached?.committed();
    this.#jobs.interrupt();
  }

  /** What was committed is this node's own now: it leaves the external cache at once, and the peers fill that anew. */
  emptyExternal(): void {
    this.#cached?.tookOver();
    this.verifySoon();
  }

  /** This node has stopped being an owner: the flows must leave the internal cache. */
  gaveUp(): void {
    this.#internal.soil();
    this.#cached?.committed();
    this.#jobs.interrupt();
  }

  /** A peer appeared, or owns something new, or this node missed something. */
  verifySoon(peer?: string): void {
    this.#comparisons.soon(peer);
    this.#jobs.wake();
  }

  /**
   * This node's flows were deleted a moment ago, and nobody has told the replicas: they give back what they hold. With
   * `replicas: cache` they can't. Copies of the peers' flows have gone too.
   *
   * @param fresh whether that was seen as it happened
   */
  recall(fresh: boolean): void {
    this.#recalls.soon(fresh);
    this.#internal.grow();
    this.verifySoon();
    this.#jobs.interrupt();
  }

  /** conntrackd's internal cache holds so many flows. */
  cacheHolds(flows: number): void {
    if (this.#fill.look(flows, this.exact)) {
      this.#internal.grow();
      this.#jobs.wake();
    }
  }

  /** Whether replicas are being asked for what this node has lost. */
  get recalling(): boolean {
    return this.#recalls.due;
  }

  /** Rejects if flows of this node's own were deleted, and the replicas haven't been asked for all of them yet. */
  async requireIntact(): Promise<void> {
    await this.#host.lookForFlush();
    if (this.recalling) {
      throw new StatesMissing(
        'conntrackd was ordered to delete the flows of this kernel: nobody compares with them before the replicas have given them back',
      );
    }
  }

  /** Runs `touching`, which touches copies of what a peer owns, while no job runs; then they leave the internal cache. */
  lend<T>(touching: () => Promise<T>): Promise<T> {
    return this.#jobs.hold(async () => {
      this.#internal.soil();
      try {
        return await touching();
      } finally {
        // A flush that was under way at first may have come before the end.
        this.#internal.soil();
        this.#jobs.interrupt();
      }
    });
  }

  /**
   * A peer asks for everything again. False if the internal cache may hold what it shouldn't, or what was deleted a moment ago: conntrackd
   * would send that it has ended.
   */
  async bulk(): Promise<boolean> {
    await this.#host.lookForFlush();
    if (!this.#internal.sendable) {
      return false;
    }
    await this.#edges.cache.bulk();
    return true;
  }

  #join(): void {
    if (this.#rejoining) {
      this.#rejoining = false;
      this.#host.joined();
    }
  }

  /** Does the most urgent thing that is due. Returns how long nothing else is, in milliseconds. */
  async #work(signal: AbortSignal): Promise<number> {
    if (!(await this.#internal.look())) {
      this.#recalls.wait();
      return RETRY_MS;
    }
    // Before anything else: packets of these flows are being dropped.
    if (await this.#recalls.work(signal)) {
      this.#internal.grow();
      return 0;
    }
    if (await this.#internal.work(signal, this.#rejoining)) {
      return 0;
    }
    const owners = this.#host.owners();
    if (this.#rejoining && owners.length > 0) {
      return this.#rejoin(owners, signal);
    }
    if (await this.#cached?.work(owners)) {
      return 0;
    }
    const now = performance.now();
    // First: a peer that can't be compared with, again and again, must not let the others' copies expire.
    if (this.#refreshing.isDue(now)) {
      return this.#refresh(signal);
    }
    const due = this.#comparisons.due(owners, now);
    if (due === undefined) {
      await this.#lookAlone(owners, now);
      return LOOK_MS;
    }
    return this.#verify(due, signal);
  }

  /** A peer that thinks it owns something still sends its flows, though nobody is compared with. */
  async #lookAlone(owners: readonly OwnerPeer[], now: number): Promise<void> {
    if (this.#cached === undefined || owners.length > 0 || !this.#comparisons.takeAlone(now)) {
      return;
    }
    const { buckets } = this.#sorting().hashing;
    if (Array.from({ length: buckets }, (_, bucket) => bucket).every(this.#host.owns)) {
      await this.#cached.ownsAll();
    }
  }

  async #rejoin(owners: readonly OwnerPeer[], signal: AbortSignal): Promise<number> {
    this.#host.reach('rejoin.purge');
    const removed = await purge(this.#edges, this.#sorting(), this.#host.foreign, signal);
    if (signal.aborted) {
      return 0;
    }
    await this.#cached?.forget();
    this.#host.done('rejoin.purge');
    this.#host.reach('rejoin.bulk');
    for (const owner of owners) {
      this.#host.askBulk(owner);
    }
    this.#host.done('rejoin.bulk');
    this.#join();
    this.#comparisons.forget();
    this.#host.note(
      'info',
      `rejoins: ${removed} old entries purged, asked ${owners.map(({ name }) => name).join(', ')} for theirs`,
    );
    return 0;
  }

  async #verify(peer: OwnerPeer, signal: AbortSignal): Promise<number> {
    const result = await this.#comparisons.verify(peer, signal);
    if (result.synced) {
      await this.#cached?.whole(peer, signal, () => !this.#internal.dirty);
    }
    return 0;
  }

  #copiesOf(peer: OwnerPeer): Copies {
    const deletable = (bucket: number): boolean => this.#host.foreign(bucket) && !this.#internal.dirty;
    return (
      this.#cached?.copiesOf(peer) ?? kernelCopies(this.#edges, this.#sorting(), peer.buckets, deletable)
    );
  }

  async #refreshIfDue(signal: AbortSignal): Promise<void> {
    if (this.#refreshing.isDue()) {
      await this.#refresh(signal);
    }
  }

  /** The owner's own refresh of a timeout is no event: without this the copies would expire under living flows. */
  async #refresh(signal: AbortSignal): Promise<number> {
    await this.#refreshing.round((chosen) => this.#touching.run(signal, chosen), signal);
    return 0;
  }

  /** Once for each new reason: what goes on failing was said. */
  #complain(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.#failure) {
      this.#failure = text;
      // Whether conntrackd answers is asked every second, and said there.
      const silent = error instanceof ConntrackdAbsent || error instanceof ConntrackdStuck;
      this.#host.note(silent ? 'debug' : 'warn', text);
    }
  }
}
