import type { Edges, Sorting } from '../transitions/edges.ts';
import { Losses } from '../transitions/losses.ts';
import { type Recall, recall } from '../transitions/recall.ts';
import type { OwnersList } from '../transitions/verify.ts';

/** How long one peer is asked, in milliseconds: no round begins after that. */
const BOUND_MS = 10_000;
/** How long a peer that can be reached may be silent while it lists its copies. */
const SILENCE_MS = 10_000;
/** How long it is tried while no peer answers, or while there is no conntrackd. */
const PATIENCE_MS = 5000;
/** How often it is looked whether the peer that is asked is still there. */
const LOOK_MS = 100;

/** What this node, the owner, has got back of its states. */
export interface Recalled extends Recall {
  /** The peers that have told what they hold. */
  readonly from: readonly string[];
  /** Milliseconds since it was noticed. */
  readonly milliseconds: number;
  /** Whether the deletion was seen as it happened; false: it is older than this agent, and may have been mended by another. */
  readonly fresh: boolean;
}

export interface RecallsHost {
  readonly owns: (bucket: number) => boolean;
  /**
   * The peers that are asked for copies of what this node owns: the reachable ones that hold all of it; if there are none of these,
   * all reachable ones.
   */
  readonly holders: () => readonly string[];
  readonly reachable: (peer: string) => boolean;
  /** Asks a peer for the list of its copies of what this node owns. */
  readonly copiesAt: (peer: string, signal: AbortSignal) => Promise<OwnersList>;
  readonly recalled: (result: Recalled) => void;
}

/** What is known of one deletion, or of several that were noticed before the end of the first recall. */
interface Wanted {
  readonly since: number;
  fresh: boolean;
  /** The peers that have told what they hold. */
  readonly from: Set<string>;
  readonly losses: Losses;
  /** Since when there has been no conntrackd; undefined: there is one. */
  absent: number | undefined;
}

/** Has replicas give back what this node has lost of its own states, after somebody has deleted them here. */
export class Recalls {
  readonly #edges: Pick<Edges, 'table'>;
  readonly #sorting: () => Sorting;
  readonly #host: RecallsHost;
  readonly #meanwhile: (signal: AbortSignal) => Promise<unknown>;
  #wanted: Wanted | undefined;

  /** @param meanwhile called between two rounds: it may take longer than a flow without a refresh lives */
  constructor(
    edges: Pick<Edges, 'table'>,
    sorting: () => Sorting,
    host: RecallsHost,
    meanwhile: (signal: AbortSignal) => Promise<unknown>,
  ) {
    this.#edges = edges;
    this.#sorting = sorting;
    this.#host = host;
    this.#meanwhile = meanwhile;
  }

  /** This node's flows were deleted, and the replicas weren't told. */
  soon(fresh: boolean): void {
    this.#wanted ??= {
      since: performance.now(),
      fresh,
      from: new Set(),
      losses: new Losses(),
      absent: undefined,
    };
    this.#wanted.fresh ||= fresh;
  }

  get due(): boolean {
    return this.#wanted !== undefined;
  }

  /**
   * Asks one peer after the other, if that is due. Tried again while none answers, but not for long. What is found is kept when
   * it is cut off: a peer that has lost its own states as well asks for them just then. Returns whether it has ended.
   */
  async work(signal: AbortSignal): Promise<boolean> {
    const wanted = this.#wanted;
    if (wanted === undefined) {
      return false;
    }
    wanted.absent = undefined;
    let answered = false;
    for (const peer of this.#host.holders()) {
      answered = (await this.#ask(peer, wanted, signal)) || answered;
    }
    signal.throwIfAborted();
    return (answered || performance.now() - wanted.since >= PATIENCE_MS) && this.#end(wanted);
  }

  /** There is no conntrackd that could take anything in. Nobody compares with this node meanwhile, so it ends after a while. */
  wait(): void {
    const wanted = this.#wanted;
    if (wanted !== undefined) {
      const now = performance.now();
      wanted.absent ??= now;
      if (now - wanted.absent >= PATIENCE_MS) {
        this.#end(wanted);
      }
    }
  }

  #end({ since, fresh, from, losses: { lost, returned } }: Wanted): boolean {
    this.#wanted = undefined;
    const milliseconds = performance.now() - since;
    this.#host.recalled({ from: [...from], lost, returned, milliseconds, fresh });
    return true;
  }

  /** Returns false for a peer that doesn't answer to the end: another may. */
  async #ask(peer: string, { from, losses }: Wanted, signal: AbortSignal): Promise<boolean> {
    const gone = new AbortController();
    const either = AbortSignal.any([signal, gone.signal]);
    /** When it was heard last; undefined: it has listed all, and touches what is missing. */
    let heard: number | undefined;
    // A dead peer's connection says nothing for long, and packets are being dropped.
    const watch = setInterval(() => {
      const silent = heard !== undefined && performance.now() - heard >= SILENCE_MS;
      if (silent || !this.#host.reachable(peer)) {
        gone.abort();
      }
    }, LOOK_MS);
    const list = async (): Promise<OwnersList> => {
      heard = performance.now();
      const copies = await this.#host.copiesAt(peer, either);
      const hashes = passing(copies.hashes, (more) => {
        heard = more ? performance.now() : undefined;
        if (!more) from.add(peer);
      });
      return { ...copies, hashes };
    };
    const meanwhile = () => this.#meanwhile(either);
    try {
      await recall(this.#edges, this.#sorting(), this.#host.owns, list, BOUND_MS, either, {
        losses,
        meanwhile,
      });
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    } finally {
      clearInterval(watch);
    }
  }
}

/** Passes the items on, and tells of each, and of the end. */
async function* passing<Item>(
  items: AsyncIterable<Item>,
  told: (more: boolean) => void,
): AsyncGenerator<Item, void, undefined> {
  for await (const item of items) {
    told(true);
    yield item;
  }
  told(false);
}
