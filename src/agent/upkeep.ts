import { isDue } from '../cluster/refresh.ts';
import { ConntrackdAbsent, ConntrackdStuck } from '../conntrackd/errors.ts';
import { adopt } from '../transitions/adopt.ts';
import { type Copies, kernelCopies } from '../transitions/copies.ts';
import { disown } from '../transitions/disown.ts';
import type { Edges, Sorting } from '../transitions/edges.ts';
import { purge } from '../transitions/purge.ts';
import { verify } from '../transitions/verify.ts';
import { CachedStates } from './cached-states.ts';
import { JobLoop } from './job-loop.ts';
import type { OwnerPeer } from './replicas.ts';
import type { UpkeepHost, UpkeepTimes } from './upkeep-host.ts';

const RETRY_MS = 500;
/** How often conntrackd's identity is looked at: a restarted one must be disowned before a copy expires. */
const LOOK_MS = 100;

/**
 * Keeps conntrackd's internal cache and the replicas' copies right, behind the loop's back and interruptible at every
 * batch: one job at a time, chosen anew each time from what is due.
 */
export class Upkeep {
  readonly #edges: Edges;
  readonly #sorting: () => Sorting;
  readonly #host: UpkeepHost;
  readonly #times: UpkeepTimes;
  /** With `replicas: cache`. */
  readonly #cached: CachedStates | undefined;
  #identity: string | undefined;
  /** The internal cache may hold flows that this node doesn't own. */
  #dirty = true;
  /** Owned flows may be missing in the internal cache. */
  #unadopted = true;
  /** Copies of what peers own may be stale throughout: delete them and have them sent again. */
  #rejoining: boolean;
  #round = 0;
  /** Between two rounds, as the timeouts were at the last one. */
  #interval: number;
  #refreshedAt = 0;
  readonly #verifiedAt = new Map<string, number>();
  /** Counts what a verification under way can't have seen. */
  #missed = 0;
  #failure = '';
  #disowning = false;
  readonly #jobs = new JobLoop({
    work: (signal) => this.#work(signal),
    // conntrackd may be slow to answer, and its cache is nothing that a change of owner must wait for.
    harmless: () => this.#disowning,
    failed: (error) => this.#complain(error),
    succeeded: () => {
      this.#failure = '';
    },
  });

  constructor(edges: Edges, sorting: () => Sorting, host: UpkeepHost, times: UpkeepTimes, fresh: boolean) {
    this.#edges = edges;
    this.#sorting = sorting;
    this.#host = host;
    this.#times = times;
    this.#interval = times.refresh();
    this.#rejoining = fresh;
    this.#cached = edges.external && new CachedStates(edges.external, edges, sorting, host);
  }

  /** The internal cache holds the owned flows and no others: a bulk of it harms nobody. */
  get exact(): boolean {
    return !this.#dirty && !this.#unadopted && this.#identity !== undefined;
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
    this.#unadopted = true;
    this.#jobs.interrupt();
  }

  /** Whatever the external cache held stands in the kernel now, and in the internal cache. */
  committed(): void {
    this.#dirty = true;
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
    this.#dirty = true;
    this.#cached?.committed();
    this.#jobs.interrupt();
  }

  /** A peer appeared, or owns something new, or this node missed something. */
  verifySoon(peer?: string): void {
    peer === undefined ? this.#verifiedAt.clear() : this.#verifiedAt.delete(peer);
    this.#missed += 1;
    this.#jobs.wake();
  }

  /** A peer asks for everything again. False if the internal cache may hold what it shouldn't. */
  async bulk(): Promise<boolean> {
    if (!this.exact) {
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
    await this.#lookAtConntrackd();
    if (this.#identity === undefined) {
      return RETRY_MS;
    }
    if (this.#dirty) {
      return this.#disown(signal);
    }
    if (this.#unadopted) {
      return this.#adoptAll(signal);
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
    if (this.#refreshDue(now)) {
      return this.#refresh(signal);
    }
    const due = owners.find(
      (peer) => now - (this.#verifiedAt.get(peer.name) ?? -Infinity) >= this.#times.verify,
    );
    if (due === undefined) {
      await this.#lookAlone(owners, now);
      return LOOK_MS;
    }
    return this.#verify(due, signal);
  }

  /** A peer that thinks it owns something still sends its flows, though nobody is compared with. */
  async #lookAlone(owners: readonly OwnerPeer[], now: number): Promise<void> {
    const alone = this.#verifiedAt.get('') ?? Number.NEGATIVE_INFINITY;
    if (this.#cached === undefined || owners.length > 0 || now - alone < this.#times.verify) {
      return;
    }
    this.#verifiedAt.set('', now);
    const { buckets } = this.#sorting().hashing;
    if (Array.from({ length: buckets }, (_, bucket) => bucket).every(this.#host.owns)) {
      await this.#cached.ownsAll();
    }
  }

  /** A new conntrackd has loaded the whole table, copies included: disown before anything else. */
  async #lookAtConntrackd(): Promise<void> {
    const identity = await this.#edges.cache.identity();
    if (identity !== this.#identity) {
      // That it is gone or back is told by who watches its health; one that was just replaced isn't noticed there.
      const replaced = this.#identity !== undefined && identity !== undefined;
      this.#identity = identity;
      this.#dirty = true;
      this.#unadopted = true;
      this.#cached?.restarted();
      this.#verifiedAt.clear();
      this.#host.interrupted();
      this.#host.note(replaced ? 'info' : 'debug', 'conntrackd was started anew: disowning');
    }
  }

  async #disown(signal: AbortSignal): Promise<number> {
    const identity = this.#identity;
    this.#host.reach(this.#rejoining ? 'rejoin.disown' : 'release.disown');
    this.#disowning = true;
    const drained = await disown(this.#edges, signal).finally(() => {
      this.#disowning = false;
    });
    if (!signal.aborted && (await this.#edges.cache.identity()) === identity) {
      this.#dirty = false;
      this.#unadopted = true;
      this.#host.done('release.disown');
      this.#host.done('rejoin.disown');
      this.#host.note(
        drained ? 'debug' : 'warn',
        drained ? 'disowned' : 'disowned, though not all was sent yet',
      );
    }
    return 0;
  }

  async #adoptAll(signal: AbortSignal): Promise<number> {
    this.#unadopted = false;
    const began = performance.now();
    this.#host.reach('takeover.adopt');
    try {
      const touched = await adopt(this.#edges, this.#sorting(), this.#host.owns, signal);
      this.#unadopted ||= signal.aborted;
      if (!this.#unadopted) {
        this.#host.done('takeover.adopt');
      }
      this.#refreshedAt = performance.now();
      this.#host.note('debug', `adopted ${touched} flows in ${(performance.now() - began).toFixed(0)} ms`);
    } catch (error) {
      this.#unadopted = true;
      throw error;
    }
    return 0;
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
    this.#verifiedAt.clear();
    this.#host.note(
      'info',
      `rejoins: ${removed} old entries purged, asked ${owners.map(({ name }) => name).join(', ')} for theirs`,
    );
    return 0;
  }

  async #verify(peer: OwnerPeer, signal: AbortSignal): Promise<number> {
    const missed = this.#missed;
    this.#host.reach('rejoin.verify');
    // A dead peer's connection says nothing for long, and the others wait behind it.
    const watch = setInterval(() => {
      if (!this.#host.owners().some(({ name }) => name === peer.name)) {
        this.#jobs.interrupt();
      }
    }, LOOK_MS);
    const result = await verify(
      this.#copiesOf(peer),
      () => this.#host.listOf(peer, signal),
      this.#times.verifyBound,
      signal,
      {
        // A comparison may take longer than a flow without a refresh lives.
        meanwhile: async () => this.#refreshDue() && this.#refresh(signal),
        progressed: (progress) => this.#host.comparing(peer, progress),
      },
    ).finally(() => {
      clearInterval(watch);
      this.#host.comparing(peer, undefined);
    });
    if (missed === this.#missed) {
      this.#verifiedAt.set(peer.name, performance.now());
    }
    if (result.synced) {
      this.#host.done('rejoin.verify');
    }
    this.#host.verified(peer, result);
    if (result.synced) {
      await this.#cached?.whole(peer, signal, () => !this.#dirty);
    }
    return 0;
  }

  #copiesOf(peer: OwnerPeer): Copies {
    const deletable = (bucket: number): boolean => this.#host.foreign(bucket) && !this.#dirty;
    return (
      this.#cached?.copiesOf(peer) ?? kernelCopies(this.#edges, this.#sorting(), peer.buckets, deletable)
    );
  }

  /** The owner's own refresh of a timeout is no event: without this the copies would expire under living flows. */
  async #refresh(signal: AbortSignal): Promise<number> {
    this.#refreshedAt = performance.now();
    this.#round += 1;
    this.#interval = this.#times.refresh();
    const [round, interval] = [this.#round, this.#interval];
    await adopt(this.#edges, this.#sorting(), this.#host.owns, signal, (flow) =>
      isDue(flow, round, interval),
    );
    if (signal.aborted) {
      // The turn of those that were left out would come again only many rounds later.
      this.#round -= 1;
      this.#refreshedAt = Number.NEGATIVE_INFINITY;
    }
    return 0;
  }

  #refreshDue(now = performance.now()): boolean {
    return now - this.#refreshedAt >= this.#interval;
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
