import { SyncAddressError } from '../peers/link.ts';
import type { Logger } from '../system/log.ts';

/** Between two attempts, in milliseconds. */
const AGAIN_MS = 500;

/**
 * What this node opens on its sync address: at once, or as soon as that is there. A node whose sync link comes late, or not at all, is one
 * that hears nobody, and no dead one.
 */
export class Channels {
  readonly #open: () => Promise<void>;
  readonly #log: Pick<Logger, 'info' | 'error'>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param open opens them all, or throws and has opened none */
  constructor(open: () => Promise<void>, log: Pick<Logger, 'info' | 'error'>) {
    this.#open = open;
    this.#log = log;
  }

  /** Throws what `open` throws, but for a SyncAddressError: then it is tried again behind the caller's back. */
  async open(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      if (!(error instanceof SyncAddressError)) throw error;
      this.#log.info(`${error.message}; until then no peer is heard`);
      this.#later();
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#again(), AGAIN_MS);
  }

  async #again(): Promise<void> {
    try {
      await this.#open();
      this.#log.info('the sync address is there: listening for the peers');
    } catch (error) {
      if (!(error instanceof SyncAddressError)) {
        this.#log.error(error instanceof Error ? error.message : String(error));
      }
      this.#later();
    }
  }
}
