import type { HashTable } from '../cluster/hash-table.ts';
import type { Logger } from '../system/log.ts';
import { RepeatedQuestions } from './repeated-questions.ts';
import type { Upkeep } from './upkeep.ts';

/** A peer that asks for all states twice within so many milliseconds got something wrong the first time. */
const AGAIN_MS = 5000;

/** Between two times that the cache is emptied because of what is asked for: meanwhile it doesn't say what ends. */
const EMPTY_MS = 30_000;

/** What replicas want of this node, the owner: flows that they miss, and all states. */
export class Demands {
  readonly #upkeep: Upkeep;
  readonly #cached: boolean;
  readonly #log: Logger;
  readonly #failed: (error: unknown) => void;
  readonly #questions = new RepeatedQuestions();
  #emptied = Number.NEGATIVE_INFINITY;
  /** When each peer has asked for all states last. */
  readonly #bulkAsked = new Map<string, number>();

  /** @param cached with `replicas: cache` */
  constructor(upkeep: Upkeep, cached: boolean, log: Logger, failed: (error: unknown) => void) {
    this.#upkeep = upkeep;
    this.#cached = cached;
    this.#log = log;
    this.#failed = failed;
  }

  /** A replica misses these flows. */
  missing(hashes: HashTable): void {
    const now = performance.now();
    const often = this.#questions.ask(hashes.keys(), now);
    if (often > 0 && now - this.#emptied >= EMPTY_MS) {
      this.#emptied = now;
      this.#questions.forget();
      this.#log.warn(
        `a replica asks for the same ${often} flows again and again: emptying conntrackd's cache, and adopting anew`,
      );
      this.#upkeep.gaveUp();
    }
  }

  /** A peer wants all states of this node's flows. */
  bulk(to: string): void {
    const now = performance.now();
    const again = now - (this.#bulkAsked.get(to) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS;
    this.#bulkAsked.set(to, now);
    if (again && this.#cached) {
      // It has emptied its cache twice, and flows came in that this node doesn't have.
      this.#log.debug(`${to} wants all states again: emptying conntrackd's cache, and adopting anew`);
      this.#upkeep.gaveUp();
      return;
    }
    this.#upkeep
      .bulk()
      .then(
        (sent) =>
          this.#log.debug(
            sent ? `sent all states to ${to}` : `${to} wants all states; not now, the cache isn't exact`,
          ),
        this.#failed,
      );
  }
}
