import { setImmediate as nextTurn } from 'node:timers/promises';
import { addressWord, parseNetwork } from '../../../src/cluster/address.ts';
import { fingerprint } from '../../../src/cluster/fingerprint.ts';
import type { Flow, Hashing, Tuple } from '../../../src/cluster/flow.ts';
import { bucketOf as bucketOfAddress } from '../../../src/cluster/hash.ts';
import type { FlowTable, Sorting } from '../../../src/transitions/edges.ts';
import type { OwnersList } from '../../../src/transitions/verify.ts';
import { flow, UDP } from '../../support/flows.ts';

export const hashing: Hashing = {
  seed: 0xdeadbeef,
  buckets: 64,
  legs: [[parseNetwork('192.168.0.0/24')]],
  published: [],
};

/** Everything but UDP is replicated, so that a test has something that isn't. */
export const sorting: Sorting = { hashing, replicated: ({ original }) => original.protocol !== UDP };

/** The bucket of an inside address. */
export const bucketOf = (host: number): number =>
  bucketOfAddress(addressWord(`192.168.0.${host}`), hashing.seed, hashing.buckets);

/** Flow number `port` of an inside host. */
export const flowOf = (host: number, port = 4000, protocol?: number): Flow =>
  flow(`192.168.0.${host}:${port}`, '192.168.1.2:80', undefined, protocol);

/** A conntrack table in memory that writes down what is done to it. Dumps come in pieces of `pieces` flows. */
export class MemoryTable implements FlowTable {
  readonly flows: Flow[];
  readonly touched: Tuple[] = [];
  readonly removed: Tuple[] = [];
  readonly batches: number[] = [];
  /** Called before each piece of a dump. */
  beforePiece: () => void = () => {};
  /** Called after each batch of touches. */
  afterTouch: () => void = () => {};
  readonly #pieces: number;

  constructor(flows: readonly Flow[], pieces = 50) {
    this.flows = [...flows];
    this.#pieces = pieces;
  }

  readonly dump = (): AsyncIterable<readonly Flow[]> => this.#dump([...this.flows]);

  async *#dump(flows: readonly Flow[]): AsyncIterable<readonly Flow[]> {
    for (let at = 0; at < flows.length; at += this.#pieces) {
      await nextTurn();
      this.beforePiece();
      yield flows.slice(at, at + this.#pieces);
    }
  }

  readonly touch = async (tuples: readonly Tuple[]) => {
    this.touched.push(...tuples);
    this.batches.push(tuples.length);
    this.afterTouch();
    return { done: tuples.length, missing: 0 };
  };

  readonly remove = async (tuples: readonly Tuple[]) => {
    this.removed.push(...tuples);
    const before = this.flows.length;
    this.flows.splice(0, before, ...this.flows.filter(({ original }) => !tuples.includes(original)));
    return { done: before - this.flows.length, missing: 0 };
  };
}

/** An owner whose flows are `flows()` whenever it is asked; what it is told to be missing goes to `missing`. */
export class MemoryOwner {
  readonly named: number[][] = [];
  open = 0;
  readonly #flows: () => readonly Flow[];
  readonly #missing: (hashes: readonly number[]) => void;

  constructor(flows: () => readonly Flow[], missing: (hashes: readonly number[]) => void = () => {}) {
    this.#flows = flows;
    this.#missing = missing;
  }

  readonly list = async (): Promise<OwnersList> => {
    this.open += 1;
    const hashes = this.#flows().map(fingerprint);
    return {
      hashes: inPieces(hashes),
      missing: async (hashes) => {
        const named = [...hashes];
        this.named.push(named);
        this.#missing(named);
        return named.length;
      },
      close: () => {
        this.open -= 1;
      },
    };
  };
}

async function* inPieces(hashes: readonly number[]): AsyncIterable<readonly number[]> {
  for (let at = 0; at < hashes.length; at += 7) {
    yield hashes.slice(at, at + 7);
  }
}
