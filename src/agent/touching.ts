import type { Flow } from '../cluster/flow.ts';
import { adopt } from '../transitions/adopt.ts';
import type { Edges, Sorting } from '../transitions/edges.ts';
import type { CacheFill } from './cache-fill.ts';
import type { Witnesses } from './witnesses.ts';

export interface TouchingHost {
  readonly owns: (bucket: number) => boolean;
  readonly witnesses: Pick<Witnesses, 'choose'>;
  /** So many flows of this node's own there are. */
  readonly counted: (flows: number) => void;
}

/** Touches flows of this node's own. On the way it counts them all, and has some of them chosen as witnesses. */
export class Touching {
  readonly #edges: Pick<Edges, 'table'>;
  readonly #sorting: () => Sorting;
  readonly #host: TouchingHost;
  readonly #fill: Pick<CacheFill, 'counted'>;

  constructor(
    edges: Pick<Edges, 'table'>,
    sorting: () => Sorting,
    host: TouchingHost,
    fill: Pick<CacheFill, 'counted'>,
  ) {
    this.#edges = edges;
    this.#sorting = sorting;
    this.#host = host;
    this.#fill = fill;
  }

  /** Returns the number of flows touched. As `adopt`. */
  async run(signal: AbortSignal, chosen: (flow: Flow) => boolean = () => true): Promise<number> {
    const sorting = this.#sorting();
    const witnesses = this.#host.witnesses.choose(sorting);
    let flows = 0;
    const meet = (flow: Flow): boolean => {
      flows += 1;
      witnesses.offer(flow);
      return chosen(flow);
    };
    const touched = await adopt(this.#edges, sorting, this.#host.owns, signal, meet);
    if (!signal.aborted) {
      witnesses.end();
      this.#fill.counted(flows);
      this.#host.counted(flows);
    }
    return touched;
  }
}
