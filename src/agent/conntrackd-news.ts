import type { Logger } from '../system/log.ts';
import type { Upkeep } from './upkeep.ts';

/** Between two lines about states that the kernel has refused. */
const REFUSED_MS = 10_000;

/** What conntrackd's counters say about the flows, and what is done about it. */
export class ConntrackdNews {
  readonly #upkeep: Pick<Upkeep, 'gaveUp' | 'verifySoon'>;
  readonly #log: Logger;
  #refused = { count: 0, saidAt: Number.NEGATIVE_INFINITY };

  constructor(upkeep: Pick<Upkeep, 'gaveUp' | 'verifySoon'>, log: Logger) {
    this.#upkeep = upkeep;
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
  loadedTable(): void {
    this.#log.warn('conntrackd loaded the whole kernel table into its cache: disowning');
    this.#upkeep.gaveUp();
  }

  /** A stale entry stands in the way of a live flow; a comparison finds and removes it. Said every ten seconds at most. */
  refusedStates(count: number): void {
    const now = performance.now();
    this.#refused.count += count;
    if (now - this.#refused.saidAt >= REFUSED_MS) {
      this.#log.info(`the kernel refused ${this.#refused.count} states of a peer: comparing`);
      this.#refused = { count: 0, saidAt: now };
    }
    this.#upkeep.verifySoon();
  }
}
