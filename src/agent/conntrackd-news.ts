import type { Logger } from '../system/log.ts';
import type { DestroyedStates } from './destroyed-states.ts';
import type { Upkeep } from './upkeep.ts';

/** Between two lines about states that the kernel has refused. */
const REFUSED_MS = 10_000;
/** Between two refusals that follow each other: what doesn't come is sent again several times a second. */
const REFUSING_MS = 3000;

/** What conntrackd's counters say about the flows, and what is done about it. */
export class ConntrackdNews {
  readonly #upkeep: Pick<Upkeep, 'gaveUp' | 'verifySoon' | 'recall' | 'cacheHolds'>;
  readonly #destroyed: Pick<DestroyedStates, 'loadedTable'>;
  readonly #log: Logger;
  #unsaid = { count: 0, saidAt: Number.NEGATIVE_INFINITY };
  #refused = 0;
  /** When the kernel began to refuse without a pause, and when it was seen to do so last. */
  #refusing = { since: Number.NEGATIVE_INFINITY, seenAt: Number.NEGATIVE_INFINITY };

  constructor(
    upkeep: Pick<Upkeep, 'gaveUp' | 'verifySoon' | 'recall' | 'cacheHolds'>,
    destroyed: Pick<DestroyedStates, 'loadedTable'>,
    log: Logger,
  ) {
    this.#upkeep = upkeep;
    this.#destroyed = destroyed;
    this.#log = log;
  }

  /**
   * Events were dropped on the way to conntrackd. Its cache may lack flows, and hold some that have ended, which it would send
   * to a node that returns: it is emptied, and what is owned goes into it, and to the replicas, again.
   */
  lostEvents(times: number): void {
    this.#log.warn(`conntrackd lost events (netlink overrun, ${times} times): adopting all flows again`);
    this.#upkeep.gaveUp();
  }

  /** Copies of the peers' flows stand in conntrackd's cache: their end here would end them at their owner. */
  loadedTable(fresh: boolean): void {
    if (fresh) {
      this.#destroyed.loadedTable();
    } else {
      this.#log.info('conntrackd has at some time loaded the whole kernel table into its cache: disowning');
    }
    this.#upkeep.gaveUp();
  }

  /**
   * Flows that this node owns, and copies, were deleted: by `-F`, or by `-t` when its time had come.
   *
   * @param fresh whether that was seen as it happened
   */
  flushedTable(fresh: boolean): void {
    this.#upkeep.recall(fresh);
  }

  /** So many flows stand in its internal cache. */
  cached(flows: number): void {
    this.#upkeep.cacheHolds(flows);
  }

  /** A stale entry stands in the way of a live flow; a comparison finds and removes it. Said every ten seconds at most. */
  refusedStates(count: number): void {
    const now = performance.now();
    this.#refused += count;
    this.#refusing = { since: this.#within(now) ? this.#refusing.since : now, seenAt: now };
    this.#unsaid.count += count;
    if (now - this.#unsaid.saidAt >= REFUSED_MS) {
      this.#log.info(`the kernel refused ${this.#unsaid.count} states of a peer: comparing`);
      this.#unsaid = { count: 0, saidAt: now };
    }
    this.#upkeep.verifySoon();
  }

  /** States of peers that the kernel has refused since the agent began. */
  get refused(): number {
    return this.#refused;
  }

  /** Whether it goes on refusing some: what is missing then may not come however often it is sent. */
  refusing(now: number): boolean {
    return this.#within(now) && this.#refusing.seenAt > this.#refusing.since;
  }

  #within(now: number): boolean {
    return now - this.#refusing.seenAt < REFUSING_MS;
  }
}
