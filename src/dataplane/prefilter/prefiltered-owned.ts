import type { OwnedHandle } from '../rules.ts';
import type { Prefilter } from './prefilter.ts';

/** An address that the node gets is known within that time, and so is what another program has changed. */
const FOLLOW_MS = 500;

type Programs = Pick<Prefilter, 'look' | 'pass' | 'follow' | 'remove' | 'close'>;

/**
 * The owned buckets, with the programs that drop the packets of the others before the rules do. They pass a bucket before it is
 * owned, and drop it some time after. There are none before the first renewal, nor after the end: they are never left to nobody.
 */
export class PrefilteredOwned implements OwnedHandle {
  readonly #handle: OwnedHandle;
  readonly #programs: Programs;
  readonly #note: (text: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #failure = '';
  /** What acts on the programs waits for what did before, and so does each change. */
  #last: Promise<unknown> = Promise.resolve();
  #lastChange: Promise<unknown> = Promise.resolve();

  /** @param note told why the programs can't follow, once for each reason */
  constructor(handle: OwnedHandle, programs: Programs, note: (text: string) => void) {
    this.#handle = handle;
    this.#programs = programs;
    this.#note = note;
  }

  read(): Promise<ReadonlySet<number>> {
    return this.#handle.read();
  }

  change(change: { readonly add: readonly number[]; readonly remove: readonly number[] }): Promise<void> {
    const result = this.#lastChange.then(() => this.#change(change));
    this.#lastChange = result.catch(() => undefined);
    return result;
  }

  renew(buckets: readonly number[]): Promise<void> {
    this.#timer ??= setInterval(() => void this.#tryToFollow(), FOLLOW_MS).unref();
    return this.#handle.renew(buckets);
  }

  /** Has the programs drop what isn't owned now. */
  async follow(): Promise<void> {
    await this.#programs.look();
    await this.#next(async () => this.#programs.follow(await this.#handle.read()));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#lastChange;
    await this.#next(() => this.#programs.remove()).catch((error: unknown) => this.#complain(error));
    this.#handle.close();
    this.#programs.close();
  }

  async #change(change: {
    readonly add: readonly number[];
    readonly remove: readonly number[];
  }): Promise<void> {
    // What is only given up needn't wait for the programs: it is passed a little longer.
    if (change.add.length === 0) return this.#handle.change(change);
    await this.#next(async () => {
      await this.#programs.pass(change.add);
      await this.#handle.change(change);
    });
  }

  async #tryToFollow(): Promise<void> {
    try {
      await this.follow();
      this.#failure = '';
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.#failure) {
      this.#failure = text;
      this.#note(`the prefilter can't follow what is owned: ${text}`);
    }
  }

  #next(work: () => Promise<void>): Promise<void> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
