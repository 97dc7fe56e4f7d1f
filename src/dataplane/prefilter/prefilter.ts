import { addressText, addressWord } from '../../cluster/address.ts';
import type { ClusterConfig, NodeConfig } from '../../config/types.ts';
import type { Instruction } from '../../kernel/bpf-assembler.ts';
import { listLinks, localAddresses, openLinkChannel } from '../../kernel/links.ts';
import { TrafficControl } from '../../kernel/traffic-control.ts';
import { type Leg, type Plan, planOf } from '../plan.ts';
import { swapped } from './byte-order.ts';
import { prefilterProgram } from './program.ts';

/** tc's `pref` of our programs: by it they are known, also after the process that has brought them. */
const PRIORITY = 31_415;

/** Removes our programs from all interfaces, whoever has brought them. Errors as of `TrafficControl.remove`: those that can be are removed. */
export const removePrefilters = async (control?: Control): Promise<void> => {
  const own = control ?? new TrafficControl();
  try {
    const removals = (await listLinks()).map(({ index }) => own.remove({ index, priority: PRIORITY }));
    const failed = (await Promise.allSettled(removals)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  } finally {
    if (control === undefined) own.close();
  }
};

export type Control = Pick<TrafficControl, 'set' | 'keep' | 'remove' | 'close'>;

interface Seen {
  /** Addresses that are this node's own affair. */
  readonly own: readonly string[];
  readonly places: readonly { readonly leg: Leg; readonly index: number }[];
}

interface Program {
  readonly device: string;
  readonly index: number;
  readonly instructions: readonly Instruction[];
}

/** Between two log lines about programs that another program removes again and again. Milliseconds. */
const QUIET_MS = 10_000;

/**
 * The programs that drop other nodes' packets before the rules do, for a fraction of what that costs. What they pass the rules
 * decide about, so they must never pass less than what is owned: before a bucket is owned its packets are passed.
 */
export class Prefilter {
  readonly #plan: Plan;
  readonly #control: Control;
  readonly #links = openLinkChannel();
  readonly #note: (text: string) => void;
  #seen: Seen = { own: [], places: [] };
  /** The buckets whose packets the programs pass; all, if there are none; undefined: not known. */
  #passed: ReadonlySet<number> | 'all' | undefined;
  /** What they were made from. */
  #made = '';
  #programs: readonly Program[] = [];
  #notedAt = Number.NEGATIVE_INFINITY;
  #failure = '';

  /** @param note told what the kernel refuses, once for each reason, and what others have removed */
  constructor(
    config: ClusterConfig,
    node: NodeConfig,
    note: (text: string) => void,
    control: Control = new TrafficControl(),
  ) {
    this.#plan = planOf(config, node);
    this.#note = note;
    this.#control = control;
  }

  /** Looks what addresses and interfaces this node has now. Errors as of `localAddresses`. */
  async look(): Promise<void> {
    const { legs, shared } = this.#plan;
    const own = (await localAddresses()).flatMap(ownOf).filter((address) => !shared.ip.includes(address));
    const links = await listLinks(this.#links);
    this.#seen = {
      own: [...new Set(own)],
      places: legs.flatMap((leg) => {
        const index = links.find(({ name }) => name === leg.device)?.index;
        return index === undefined ? [] : [{ leg, index }];
      }),
    };
  }

  /** Before these are owned: a millisecond, or less. Throws if there may be programs that drop their packets. */
  async pass(buckets: readonly number[]): Promise<void> {
    const passed = this.#passed;
    if (passed === 'all') return;
    if (passed === undefined) return this.remove();
    if (!buckets.every((bucket) => passed.has(bucket))) await this.follow(new Set([...passed, ...buckets]));
  }

  /**
   * Has all be dropped that is another node's now, by what was seen last. What the kernel refuses is said, and all programs are
   * removed; throws if that fails too.
   */
  async follow(owned: ReadonlySet<number>): Promise<void> {
    try {
      await this.#bring(owned);
      this.#failure = '';
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== this.#failure) {
        this.#failure = text;
        this.#note(`what other nodes filter is dropped by the rules alone: ${text}`);
      }
      await this.remove();
    }
  }

  /** Errors as of `removePrefilters`. */
  async remove(): Promise<void> {
    this.#passed = undefined;
    this.#made = '';
    await removePrefilters(this.#control);
    this.#passed = 'all';
  }

  close(): void {
    this.#control.close();
    this.#links.close();
  }

  async #bring(owned: ReadonlySet<number>): Promise<void> {
    const { own, places } = this.#seen;
    const indices = places.map(({ index }) => index);
    // Once a minute in any case: somebody may have changed them.
    const made = JSON.stringify([[...owned].sort(), own, indices, Math.floor(performance.now() / 60_000)]);
    if (made === this.#made) return this.#keep();
    // Until all are there some pass more than others.
    this.#passed = undefined;
    this.#made = '';
    this.#programs = places.map(({ leg, index }) => ({
      device: leg.device,
      index,
      instructions: prefilterProgram(this.#plan, leg, owned, own),
    }));
    for (const { index, instructions } of this.#programs) {
      await this.#control.set({ index, priority: PRIORITY }, instructions);
    }
    this.#passed = owned;
    this.#made = made;
  }

  /** Brings again what others have removed, as whoever sets an interface's qdisc does. */
  async #keep(): Promise<void> {
    const brought: string[] = [];
    for (const { device, index, instructions } of this.#programs) {
      if (await this.#control.keep({ index, priority: PRIORITY }, instructions)) brought.push(device);
    }
    const now = performance.now();
    if (brought.length > 0 && now - this.#notedAt >= QUIET_MS) {
      this.#notedAt = now;
      this.#note(`${brought.join(', ')}: the prefilter was removed by another program; put back`);
    }
  }
}

/** What the routing table takes for this node's own on account of an address: it, and the broadcasts of its network. */
const ownOf = ({
  address,
  prefix,
}: {
  readonly address: string;
  readonly prefix: number;
}): readonly string[] => {
  if (prefix > 30) return [address];
  const word = swapped(addressWord(address));
  const hosts = 2 ** (32 - prefix) - 1;
  return [address, textOf((word & ~hosts) >>> 0), textOf((word | hosts) >>> 0)];
};

const textOf = (bigEndian: number): string => addressText(swapped(bigEndian));
