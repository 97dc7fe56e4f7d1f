import type { Logger } from '../system/log.ts';
import type { Round } from './round.ts';

/**
 * Plays rounds: an event wakes it, and it goes on until a round has had nothing to do. One that fails is tried again at the
 * next event.
 */
export class RoundLoop {
  readonly #play: () => Promise<Round>;
  readonly #publish: (round: Round) => Promise<void>;
  readonly #log: Logger;
  #round: Round | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #failure = '';
  readonly #waiters = new Set<() => void>();

  /** @param publish tells what a round has found and done, whose result counts also if that fails */
  constructor(play: () => Promise<Round>, publish: (round: Round) => Promise<void>, log: Logger) {
    this.#play = play;
    this.#publish = publish;
    this.#log = log;
  }

  /** The last round that was played to its end. */
  get round(): Round | undefined {
    return this.#round;
  }

  /** Why the last one failed; empty if it went well. */
  get failure(): string {
    return this.#failure;
  }

  /** Plays rounds until one has nothing to do. Resolves when that is so. */
  wake(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves when the rounds under way have ended. */
  async ended(): Promise<void> {
    await this.#running;
  }

  /** Resolves at the end of the next round that goes well. */
  nextRound(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add(resolve);
    });
  }

  /** Logs an error, once for each new reason. */
  complain(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.#failure) {
      this.#failure = text;
      this.#log.error(text);
    }
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        const round = await this.#play();
        this.#again ||= round.acted;
        this.#round = round;
        await this.#publish(round);
        this.#failure = '';
        this.#release();
      } catch (error) {
        this.complain(error);
      }
    }
  }

  #release(): void {
    for (const resolve of this.#waiters) {
      resolve();
    }
    this.#waiters.clear();
  }
}
