import type { Edges, Sorting } from '../transitions/edges.ts';
import { type Recall, recall } from '../transitions/recall.ts';
import type { OwnersList } from '../transitions/verify.ts';

/** How long one peer is asked, in milliseconds. */
const BOUND_MS = 10_000;
/** How long it is tried while no peer answers. */
const PATIENCE_MS = 5000;

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
  /** The reachable peers: each of them holds copies of what this node owns. */
  readonly holders: () => readonly string[];
  /** Asks a peer for the list of its copies of what this node owns. */
  readonly copiesAt: (peer: string, signal: AbortSignal) => Promise<OwnersList>;
  readonly recalled: (result: Recalled) => void;
}

/** Has replicas give back what this node has lost of its own states, after somebody has deleted them here. */
export class Recalls {
  readonly #edges: Pick<Edges, 'table'>;
  readonly #sorting: () => Sorting;
  readonly #host: RecallsHost;
  #wanted: { readonly since: number; readonly fresh: boolean } | undefined;

  constructor(edges: Pick<Edges, 'table'>, sorting: () => Sorting, host: RecallsHost) {
    this.#edges = edges;
    this.#sorting = sorting;
    this.#host = host;
  }

  /** This node's flows were deleted, and the replicas weren't told. */
  soon(fresh: boolean): void {
    this.#wanted = {
      since: this.#wanted?.since ?? performance.now(),
      fresh: fresh || this.#wanted?.fresh === true,
    };
  }

  get due(): boolean {
    return this.#wanted !== undefined;
  }

  /**
   * Asks one peer after the other, if that is due. What is cut off stays so, and while no peer answers. Returns whether it has
   * ended.
   */
  async work(signal: AbortSignal): Promise<boolean> {
    const wanted = this.#wanted;
    if (wanted === undefined) {
      return false;
    }
    const from: string[] = [];
    let lost = 0;
    let returned = 0;
    for (const peer of this.#host.holders()) {
      const found = await this.#ask(peer, signal);
      if (found !== undefined) {
        from.push(peer);
        // What the first peer has given back the next doesn't count again.
        lost += found.lost;
        returned += found.returned;
      }
    }
    signal.throwIfAborted();
    const milliseconds = performance.now() - wanted.since;
    if (from.length === 0 && milliseconds < PATIENCE_MS) {
      return false;
    }
    this.#wanted = undefined;
    this.#host.recalled({ from, lost, returned, milliseconds, fresh: wanted.fresh });
    return true;
  }

  /** Undefined for a peer that doesn't answer: another may. */
  async #ask(peer: string, signal: AbortSignal): Promise<Recall | undefined> {
    try {
      const list = () => this.#host.copiesAt(peer, signal);
      return await recall(this.#edges, this.#sorting(), this.#host.owns, list, BOUND_MS, signal);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }
}
