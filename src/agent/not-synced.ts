import { type Warning, warningText } from '../cluster/warning.ts';
import type { Logger } from '../system/log.ts';

/** What keeps this node from holding a peer's states. */
export type Lack = 'missing' | 'refused' | 'unverifiable' | 'lapsed' | 'conntrackd' | "owner's conntrackd";

interface Known {
  readonly lack: Lack;
  readonly text: string;
}

/** Why this node doesn't hold the states of each peer, where that is known: in `status` as it is now, in the log once. */
export class NotSynced {
  readonly #log: Pick<Logger, 'warn' | 'info' | 'debug'>;
  readonly #known = new Map<string, Known>();

  constructor(log: Pick<Logger, 'warn' | 'info' | 'debug'>) {
    this.#log = log;
  }

  /**
   * @param text one sentence; its figures may change without being logged again. Where the kernel has refused states it does so now and
   * then, so that they are missing is no news
   */
  because(peer: string, lack: Lack, text: string): void {
    const before = this.#known.get(peer)?.lack;
    const known = before === lack || (before === 'refused' && lack === 'missing');
    this.#known.set(peer, { lack: known && before !== undefined ? before : lack, text });
    this.#log[known ? 'debug' : 'warn'](warningText(warningOf(peer, text)));
  }

  /** What it lacks, if that is known. */
  lackOf(peer: string): Lack | undefined {
    return this.#known.get(peer)?.lack;
  }

  /** It holds them again, or there is nothing to hold, or what kept them from coming is mended. */
  ended(peer: string): void {
    const known = this.#known.get(peer);
    if (known !== undefined) {
      this.#known.delete(peer);
      this.#log.info(`no longer so: ${warningText(warningOf(peer, known.text))}`);
    }
  }

  get peers(): readonly string[] {
    return [...this.#known.keys()];
  }

  get warnings(): readonly Warning[] {
    return [...this.#known].map(([peer, { text }]) => warningOf(peer, text));
  }
}

const warningOf = (object: string, text: string): Warning => ({ code: 'not-synced', object, text });
