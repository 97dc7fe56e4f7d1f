/** How far back it remembers. */
const WINDOW = 20_000;

/** Remembers numbers of a growing sequence, the last 20 000 of them: whether one has come before. */
export class Numbers {
  readonly #seen = new Set<number>();
  #highest = -1;

  /** False if the number has come before, or is so old that it can't be told. */
  add(number: number): boolean {
    if (this.#seen.has(number) || number <= this.#highest - WINDOW) {
      return false;
    }
    this.#seen.add(number);
    if (number > this.#highest) {
      for (let old = this.#highest - WINDOW; old <= number - WINDOW && old >= 0; old += 1) {
        this.#seen.delete(old);
      }
      this.#highest = number;
    }
    return true;
  }
}
