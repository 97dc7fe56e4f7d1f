import type { ClusterConfig } from '../config/types.ts';
import { Counters } from '../kernel/counters.ts';
import { arrivedOn, OWNED } from './owned.ts';
import type { Plan } from './plan.ts';

/** Rules of iptables count what is sent to the node itself too, and a prefilter drops others' packets before they are counted. */
export const countsArrivals = ({
  firewall,
  prefilter,
}: Pick<ClusterConfig, 'firewall' | 'prefilter'>): boolean => firewall === 'nftables' && !prefilter;

/**
 * How many packets of IP have come in to the shared MAC of each leg since the rules were loaded, by the interface's name in the
 * configuration. A leg that isn't in it: not known.
 */
export class Arrived {
  readonly #legs: readonly { readonly name: string; readonly counter: string }[];
  readonly #counters = new Counters();

  constructor({ legs }: Pick<Plan, 'legs'>) {
    this.#legs = legs.map(({ name, label }) => ({ name, counter: arrivedOn(label) }));
  }

  /** Throws KernelError and what `Channel.request` throws. */
  async read(): Promise<ReadonlyMap<string, number>> {
    const packets = await this.#counters.packets(OWNED);
    return new Map(
      this.#legs.flatMap(({ name, counter }) => {
        const count = packets.get(counter);
        return count === undefined ? [] : [[name, count] as const];
      }),
    );
  }

  close(): void {
    this.#counters.close();
  }
}
