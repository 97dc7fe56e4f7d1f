import type { Flow } from '../cluster/flow.ts';
import { isDue } from '../cluster/refresh.ts';

/** When which of the owned flows are touched again: the owner's own refresh of a timeout is no event. */
export class Refreshing {
  readonly #intervalNow: () => number;
  #round = 0;
  /** Between two rounds, as the timeouts were at the last one. */
  #interval: number;
  #last = 0;

  /** @param intervalNow milliseconds between two rounds, as the kernel's timeouts are now */
  constructor(intervalNow: () => number) {
    this.#intervalNow = intervalNow;
    this.#interval = intervalNow();
  }

  isDue(now = performance.now()): boolean {
    return now - this.#last >= this.#interval;
  }

  /** All flows have just been touched. */
  done(): void {
    this.#last = performance.now();
  }

  /** Has `touch` touch the flows whose turn it is. */
  async round(
    touch: (chosen: (flow: Flow) => boolean) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    this.done();
    this.#round += 1;
    this.#interval = this.#intervalNow();
    const [round, interval] = [this.#round, this.#interval];
    await touch((flow) => isDue(flow, round, interval));
    if (signal.aborted) {
      // The turn of those that were left out would come again only many rounds later.
      this.#round -= 1;
      this.#last = Number.NEGATIVE_INFINITY;
    }
  }
}
