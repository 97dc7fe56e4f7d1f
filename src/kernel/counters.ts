import { getCounters, parseCounter } from './counter-message.ts';
import { dump } from './dump.ts';
import { openRulesetChannel } from './nftables.ts';
import type { TableRef } from './table-message.ts';

/** Reads the named counters of an nftables table. */
export class Counters {
  readonly #channel = openRulesetChannel();

  /** Packets, by the counter's name; none where there is no such table. Throws KernelError and what `Channel.request` throws. */
  async packets(table: TableRef): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    const request = {
      operation: 'read',
      subject: `the counters of table ${table.family} ${table.table}`,
      encode: (sequence: number) => getCounters(table, sequence),
      parse: (...[view, at, end]: readonly [DataView, number, number]) => parseCounter(table, view, at, end),
    };
    for await (const some of dump(this.#channel, request)) {
      for (const { name, packets } of some) found.set(name, packets);
    }
    return found;
  }

  close(): void {
    this.#channel.close();
  }
}
