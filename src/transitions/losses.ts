import { HashTable } from '../cluster/hash-table.ts';

const BACK = 0;
const MISSING = 1;

/**
 * What an owner has lost of its states, as it is found round by round. A flow that a replica has listed and that isn't here a
 * moment later may just have ended: it is lost if it is missing in the next round too, or has come back by then, which none does
 * that has ended.
 */
export class Losses {
  /** Missing in the round before. */
  #before: HashTable | undefined;
  readonly #lost = new HashTable();
  /** How many of those missing in the round before have turned out to be lost. */
  #certain = 0;
  #rounds = 0;

  /** Flows that replicas held and this node, their owner, didn't. After a single round all that it has found count. */
  get lost(): number {
    return this.#lost.size + (this.#rounds === 1 ? (this.#before?.size ?? 0) : 0);
  }

  /** How many of them it holds again. */
  get returned(): number {
    return this.#lost.count((state) => state === BACK);
  }

  /** The flow stands in this node's table. */
  stands(hash: number): void {
    if (this.#before?.delete(hash)) {
      this.#certain += 1;
      this.#lost.set(hash, BACK);
    } else if (this.#lost.has(hash)) {
      this.#lost.set(hash, BACK);
    }
  }

  /** A round has ended; `missing` is what it has found so. */
  end(missing: HashTable): RoundOfLosses {
    const before = this.#before;
    for (const hash of before === undefined ? [] : missing.keys()) {
      if (before?.has(hash)) {
        this.#certain += 1;
        this.#lost.set(hash, MISSING);
      }
    }
    const found = { first: before === undefined, certain: this.#certain, missing: missing.size };
    this.#certain = 0;
    this.#rounds += 1;
    this.#before = missing;
    return found;
  }
}

export interface RoundOfLosses {
  readonly first: boolean;
  /** Missing in the round before, and not because they have ended. */
  readonly certain: number;
  /** Missing in this one, for whichever reason. */
  readonly missing: number;
}
