import type { Tuple } from './flow.ts';

/** Tuple fields and the bucket: six words an entry. */
const WORDS = 6;
const FIRST_CAPACITY = 1024;

/**
 * Many tuples with their buckets, 24 bytes each in one piece: half a million of them as objects would have the garbage
 * collector stop the event loop for more than ten milliseconds.
 */
export class TupleList {
  #words = new Uint32Array(FIRST_CAPACITY * WORDS);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(tuple: Tuple, bucket: number): void {
    const at = this.#length * WORDS;
    if (at === this.#words.length) {
      const grown = new Uint32Array(2 * at);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[at] = tuple.protocol;
    this.#words[at + 1] = tuple.src;
    this.#words[at + 2] = tuple.dst;
    this.#words[at + 3] = tuple.sport;
    this.#words[at + 4] = tuple.dport;
    this.#words[at + 5] = bucket;
    this.#length += 1;
  }

  /** The tuples from `start` up to `end`, that one left out, whose bucket is `chosen`. */
  slice(start: number, end: number, chosen: (bucket: number) => boolean): readonly Tuple[] {
    const tuples: Tuple[] = [];
    for (let index = start; index < Math.min(end, this.#length); index += 1) {
      const at = index * WORDS;
      if (chosen(this.#word(at + 5))) {
        tuples.push({
          protocol: this.#word(at),
          src: this.#word(at + 1),
          dst: this.#word(at + 2),
          sport: this.#word(at + 3),
          dport: this.#word(at + 4),
        });
      }
    }
    return tuples;
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }
}
