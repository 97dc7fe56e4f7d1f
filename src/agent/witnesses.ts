import { bucketOfFlow, type Flow, type Tuple } from '../cluster/flow.ts';
import { PROTOCOL_NUMBERS } from '../cluster/protocols.ts';
import type { Sorting } from '../transitions/edges.ts';

/** Connections that are looked at: enough to tell a fifth from none. */
const MOST = 100;
/** So many must have vanished at once: one that was cut off on purpose is nobody's business. */
const FEW = 5;
const SHARE = 0.2;
/** Milliseconds between two looks beyond which nothing is concluded: an ended connection may have expired meanwhile. */
const GAP_MS = 4000;

/** IPS_ASSURED, include/uapi/linux/netfilter/nf_conntrack_common.h. */
const ASSURED = 0x4;

interface Witness {
  readonly tuple: Tuple;
  readonly bucket: number;
  /** Whether a look has found it alive. */
  alive: boolean;
}

export interface WitnessesHost {
  readonly owns: (bucket: number) => boolean;
  /** The kernel's entries of these original tuples, in their order; undefined: there is none. */
  readonly find: (tuples: readonly Tuple[]) => Promise<readonly (Flow | undefined)[]>;
  /** Timeouts of ended TCP connections in seconds, as they are now. */
  readonly endings: () => readonly number[];
}

/** What became of those that were looked at. */
export interface Testimony {
  readonly looked: number;
  readonly vanished: number;
}

/**
 * Connections of this node's own that are looked at again and again. One that ends stays in the table as ended for a while, ten
 * seconds at least with the kernel's timeouts: one that could live on for longer than that, and isn't there a second later, was
 * deleted.
 */
export class Witnesses {
  readonly #host: WitnessesHost;
  #witnesses: readonly Witness[] = [];
  /** Those that take their place as soon as a look has found them alive. */
  #next: readonly Witness[] | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(host: WitnessesHost) {
    this.#host = host;
  }

  /** Begins to choose anew from all flows of this node's own. */
  choose({ hashing }: Sorting): Choice {
    const endings = this.#host.endings();
    const lasting = Math.max(...endings);
    const certain = Math.min(...endings) * 1000 > GAP_MS;
    const chosen: Witness[] = [];
    let flows = 0;
    return {
      offer: (flow) => {
        if (!certain || !isLasting(flow, lasting)) return;
        flows += 1;
        // Each with the same probability.
        const place = flows <= MOST ? chosen.length : Math.floor(Math.random() * flows);
        if (place < MOST) {
          chosen[place] = {
            tuple: flow.original,
            bucket: bucketOfFlow(flow, hashing),
            alive: false,
          };
        }
      },
      end: () => {
        this.#next = chosen;
      },
    };
  }

  /** Looks at each. Undefined if there is nothing to say. */
  async look(now = performance.now()): Promise<Testimony | undefined> {
    const conclusive = now - this.#lookedAt <= GAP_MS;
    this.#lookedAt = now;
    const next = this.#next;
    const before = this.#witnesses;
    const asked = [...before, ...(next ?? [])].filter(({ bucket }) => this.#host.owns(bucket));
    if (asked.length === 0) {
      this.#witnesses = [];
      return undefined;
    }
    const lasting = Math.max(...this.#host.endings());
    const found = await this.#host.find(asked.map(({ tuple }) => tuple));
    const counted = asked.filter(({ alive, bucket }) => alive && this.#host.owns(bucket));
    const vanished = counted.filter((witness) => found[asked.indexOf(witness)] === undefined).length;
    asked.forEach((witness, index) => {
      const flow = found[index];
      witness.alive = flow !== undefined && isLasting(flow, lasting);
    });
    // What it doesn't own it doesn't look at, and learns nothing of.
    this.#witnesses = (next ?? before).filter(({ alive, bucket }) => alive && this.#host.owns(bucket));
    this.#next = this.#next === next ? undefined : this.#next;
    const looked = counted.length;
    return conclusive && vanished >= FEW && vanished >= SHARE * looked ? { looked, vanished } : undefined;
  }
}

/** Takes all flows of this node's own, one after the other. */
export interface Choice {
  readonly offer: (flow: Flow) => void;
  readonly end: () => void;
}

const isLasting = ({ original, status, timeout }: Flow, ending: number): boolean =>
  original.protocol === PROTOCOL_NUMBERS.tcp && (status & ASSURED) !== 0 && timeout > ending;
