/** How many parts share the hashes: each grows by itself, in a fraction of a millisecond. */
const PARTS = 256;
const FIRST_CAPACITY = 64;
/** Share of a part's places that may be taken. */
const LOAD = 0.5;

/**
 * Numbers by the hashes of flows (`fingerprint`: whole numbers from 0 to 2^53), outside of JavaScript's heap and in small
 * parts: a Map of half a million of them holds the event loop for a tenth of a second whenever it grows, and the garbage
 * collector whenever it looks at it. What comes in the same order into tables of the same size comes out of them in the
 * same order.
 */
export class HashTable {
  readonly #parts = Array.from({ length: PARTS }, () => new Part());

  /** A table with these hashes, each with 0. */
  static of(hashes: Iterable<number>): HashTable {
    const table = new HashTable();
    for (const hash of hashes) {
      table.set(hash, 0);
    }
    return table;
  }

  get size(): number {
    return this.#parts.reduce((sum, part) => sum + part.size, 0);
  }

  has(hash: number): boolean {
    return this.get(hash) !== undefined;
  }

  get(hash: number): number | undefined {
    return this.#partOf(hash).get(hash);
  }

  set(hash: number, value: number): void {
    this.#partOf(hash).set(hash, value);
  }

  /** Returns whether it was there. */
  delete(hash: number): boolean {
    return this.#partOf(hash).delete(hash);
  }

  *keys(): Generator<number, void, undefined> {
    for (const part of this.#parts) {
      for (const [hash] of part.entries()) {
        yield hash;
      }
    }
  }

  /** How many have a value that is `chosen`. */
  count(chosen: (value: number) => boolean): number {
    return this.#parts.reduce((sum, part) => sum + part.count(chosen), 0);
  }

  #partOf(hash: number): Part {
    const part = this.#parts[(hash >>> 0) % PARTS];
    if (part === undefined) {
      throw new RangeError(`${hash} is no hash of a flow`);
    }
    return part;
  }
}

/** Open addressing. NaN as a key is a free place, as a value it says that the key was deleted. */
class Part {
  #keys = new Float64Array(FIRST_CAPACITY).fill(Number.NaN);
  #values = new Float64Array(FIRST_CAPACITY).fill(Number.NaN);
  /** Places that aren't free. */
  #taken = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(hash: number): number | undefined {
    const value = this.#values[this.#placeOf(hash)] ?? Number.NaN;
    return Number.isNaN(value) ? undefined : value;
  }

  set(hash: number, value: number): void {
    let at = this.#placeOf(hash);
    if (this.#keys[at] !== hash) {
      if (this.#taken >= this.#keys.length * LOAD) {
        this.#grow();
        at = this.#placeOf(hash);
      }
      this.#keys[at] = hash;
      this.#taken += 1;
    }
    this.#size += Number.isNaN(this.#values[at]) ? 1 : 0;
    this.#values[at] = value;
  }

  delete(hash: number): boolean {
    const at = this.#placeOf(hash);
    const there = !Number.isNaN(this.#values[at]);
    this.#values[at] = Number.NaN;
    this.#size -= there ? 1 : 0;
    return there;
  }

  *entries(): Generator<readonly [hash: number, value: number], void, undefined> {
    // A table from which most was deleted has many places to look at, and an iterator takes ten times as long.
    for (let at = 0, left = this.#size; left > 0; at += 1) {
      const value = this.#values[at] ?? Number.NaN;
      if (!Number.isNaN(value)) {
        left -= 1;
        yield [this.#keys[at] ?? 0, value];
      }
    }
  }

  count(chosen: (value: number) => boolean): number {
    let found = 0;
    for (const [, value] of this.entries()) {
      found += chosen(value) ? 1 : 0;
    }
    return found;
  }

  /** Where the hash is, or the free place where it would be. */
  #placeOf(hash: number): number {
    const mask = this.#keys.length - 1;
    let at = ((hash >>> 0) / PARTS) & mask;
    for (let key = this.#keys[at]; key !== hash && key !== undefined && !Number.isNaN(key); ) {
      at = (at + 1) & mask;
      key = this.#keys[at];
    }
    return at;
  }

  #grow(): void {
    const before = [...this.entries()];
    const capacity = 2 * this.#keys.length;
    this.#keys = new Float64Array(capacity).fill(Number.NaN);
    this.#values = new Float64Array(capacity).fill(Number.NaN);
    this.#taken = 0;
    this.#size = 0;
    for (const [hash, value] of before) {
      this.set(hash, value);
    }
  }
}
