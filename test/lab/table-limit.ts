import { readFileSync, writeFileSync } from 'node:fs';
import type { FirewallNode } from './rig/node.ts';

/** Holds for the connection table of every network namespace; only the first one may set it. */
const MAXIMUM = '/proc/sys/net/netfilter/nf_conntrack_max';

/** Sets how many entries the connection tables may have, and puts the host's own number back in the end, however this process ends. */
export class TableLimit {
  readonly #before = readFileSync(MAXIMUM, 'utf8');
  readonly #restore = (): void => writeFileSync(MAXIMUM, this.#before);

  constructor(entries: number) {
    process.once('exit', this.#restore);
    this.set(entries);
  }

  set(entries: number): void {
    writeFileSync(MAXIMUM, String(entries));
  }

  restore(): void {
    process.off('exit', this.#restore);
    this.#restore();
  }
}

/** Nobody replicates it, and no flow is early dropped for another that has been answered (early_drop_list() in nf_conntrack_core.c). */
const OTHERS = '127.0.0.1';

/** Enters so many flows of others, from the `from`th on, that the cluster has nothing to do with. */
export const fillTable = async (node: FirewallNode, entries: number, from = 0): Promise<void> => {
  const lines = Array.from({ length: entries }, (_, index) => {
    const source = `127.1.${(from + index) >> 8}.${(from + index) & 255}`;
    return `-I -p udp -s ${source} -d ${OTHERS} --sport 1000 --dport 9 -t 3600 -u SEEN_REPLY,ASSURED\n`;
  });
  // It opens its standard input by name, which a socket doesn't have.
  await node.run(['sh', '-c', 'cat | conntrack -R -'], { input: lines.join('') });
};

/** Removes them all. */
export const emptyTable = async (node: FirewallNode): Promise<void> => {
  await node.run(['conntrack', '-D', '-d', OTHERS]);
};

export const tableSize = async (node: FirewallNode): Promise<number> =>
  Number(await node.run(['cat', '/proc/sys/net/netfilter/nf_conntrack_count']));
