import type { Testimony, Witnesses } from './witnesses.ts';

const INTERVAL_MS = 1000;
/** The table must have lost so many entries and this share of them from one look to the next. */
const FEW = 5;
const SHARE = 0.25;
/** Milliseconds between two times that it is said of the table: where flows end in crowds, that is no news. */
const QUIET_MS = 20_000;

export interface StatesWatchHost {
  readonly witnesses: Pick<Witnesses, 'look'>;
  /** Entries that the kernel holds. */
  readonly count: () => number;
  /** Connections of this node's own were deleted. */
  readonly vanished: (testimony: Testimony) => Promise<void>;
  /** Many entries have gone at once, of whichever kind: copies may be among them. */
  readonly thinned: () => void;
  readonly failed: (error: unknown) => void;
}

/** Looks once a second, at little cost, whether states were destroyed. */
export class StatesWatch {
  readonly #host: StatesWatchHost;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #count = 0;
  #thinnedAt = Number.NEGATIVE_INFINITY;

  constructor(host: StatesWatchHost) {
    this.#host = host;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async look(now = performance.now()): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.#lookAtCount(now);
      const testimony = await this.#host.witnesses.look(now);
      if (testimony !== undefined) {
        await this.#host.vanished(testimony);
      }
    } catch (error) {
      this.#host.failed(error);
    } finally {
      this.#looking = false;
    }
  }

  #lookAtCount(now: number): void {
    const before = this.#count;
    this.#count = this.#host.count();
    const gone = before - this.#count;
    if (gone >= FEW && gone >= SHARE * before && now - this.#thinnedAt >= QUIET_MS) {
      this.#thinnedAt = now;
      this.#host.thinned();
    }
  }
}
