import type { Address, Ipv6Address } from './address.ts';
import type { Tuple } from './flow.ts';

/** Tuple fields and the bucket: six words an entry. */
const WORDS = 6;
/** Four an IPv6 address. */
const ADDRESS_WORDS = 4;
const FIRST_CAPACITY = 1024;
/** Added to the protocol where the two addresses are IPv6: what stands in their place is where they are. */
const IPV6 = 0x100;

/**
 * Many tuples with their buckets, 24 bytes each in one piece, 56 with IPv6: half a million of them as objects would have the
 * garbage collector stop the event loop for more than ten milliseconds.
 */
export class TupleList {
  #words = new Uint32Array(FIRST_CAPACITY * WORDS);
  #length = 0;
  #addresses = new Int32Array(0);
  #addressesLength = 0;

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
    const { src, dst } = tuple;
    const short = typeof src === 'number' && typeof dst === 'number';
    this.#words[at] = short ? tuple.protocol : tuple.protocol + IPV6;
    this.#words[at + 1] = typeof src === 'number' ? src : this.#keep(src);
    this.#words[at + 2] = typeof dst === 'number' ? dst : this.#keep(dst);
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
        const kind = this.#word(at);
        const [src, dst] = [this.#word(at + 1), this.#word(at + 2)];
        tuples.push({
          protocol: kind % IPV6,
          src: kind < IPV6 ? src : this.#kept(src),
          dst: kind < IPV6 ? dst : this.#kept(dst),
          sport: this.#word(at + 3),
          dport: this.#word(at + 4),
        });
      }
    }
    return tuples;
  }

  /** Where the address is now. */
  #keep(address: Ipv6Address): number {
    const at = this.#addressesLength;
    if (at === this.#addresses.length) {
      const grown = new Int32Array(Math.max(2 * at, FIRST_CAPACITY * ADDRESS_WORDS));
      grown.set(this.#addresses);
      this.#addresses = grown;
    }
    this.#addresses[at] = address.first;
    this.#addresses[at + 1] = address.second;
    this.#addresses[at + 2] = address.third;
    this.#addresses[at + 3] = address.fourth;
    this.#addressesLength += ADDRESS_WORDS;
    return at;
  }

  #kept(at: number): Address {
    return {
      first: this.#addresses[at] ?? 0,
      second: this.#addresses[at + 1] ?? 0,
      third: this.#addresses[at + 2] ?? 0,
      fourth: this.#addresses[at + 3] ?? 0,
    };
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }
}
