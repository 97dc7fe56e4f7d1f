/** Virtual time in milliseconds, and chance. Nothing waits for real: what is due next is played at once. */
export class Clock {
  now = 1000;
  /** Chains of promises that run at this moment; 0: all wait for something that the clock will play. */
  unsettled = 0;
  readonly #due: Due[] = [];
  #sequence = 0;
  #chance: number;

  constructor(seed: number) {
    this.#chance = seed | 0;
  }

  /** From 0 to below 1; the same seed gives the same row (mulberry32). */
  random(): number {
    this.#chance = (this.#chance + 0x6d2b79f5) | 0;
    let word = Math.imul(this.#chance ^ (this.#chance >>> 15), 1 | this.#chance);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  after(milliseconds: number, action: () => void): void {
    const due = { time: this.now + milliseconds, sequence: this.#sequence++, action };
    const heap = this.#due;
    let place = heap.push(due) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(due, parent)) {
        break;
      }
      heap[place] = parent;
      place = above;
    }
    heap[place] = due;
  }

  /** Plays all that is due within the next `milliseconds`. Rejects with the first error. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    await this.#settle();
    for (let first = this.#due[0]; first !== undefined && first.time <= end; first = this.#due[0]) {
      this.#takeFirst();
      this.now = first.time;
      first.action();
      await this.#settle();
    }
    this.now = end;
  }

  async #settle(): Promise<void> {
    for (let turns = 0; this.unsettled > 0; turns += 1) {
      if (turns > 100_000) {
        throw new Error('a chain of promises waits for something that is not simulated');
      }
      await undefined;
    }
  }

  #takeFirst(): void {
    const heap = this.#due;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) {
      return;
    }
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      const [child, below] =
        right !== undefined && left !== undefined && isBefore(right, left)
          ? [right, 2 * place + 2]
          : [left, 2 * place + 1];
      if (child === undefined || !isBefore(child, last)) {
        break;
      }
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
  }
}

interface Due {
  readonly time: number;
  readonly sequence: number;
  readonly action: () => void;
}

const isBefore = (one: Due, other: Due): boolean =>
  one.time < other.time || (one.time === other.time && one.sequence < other.sequence);
