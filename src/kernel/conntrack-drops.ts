import { readFile } from 'node:fs/promises';

const FILE = '/proc/net/stat/nf_conntrack';

/**
 * How many packets conntrack has dropped in this network namespace because their flow could not be entered: among them those
 * for which translation found no free port (nf_nat_setup_info() leaves the tuple as it was, and __nf_conntrack_confirm() in
 * net/netfilter/nf_conntrack_core.c drops it). The sum of all processors. Undefined where the kernel doesn't tell
 * (CONFIG_NF_CONNTRACK_PROCFS), or not in the form that is known.
 */
export const conntrackDrops = (): Promise<number | undefined> => sumOf('insert_failed');

/**
 * How many it has dropped because there was no entry to be had for them: the table was full (nf_conntrack_in() in the same file; a
 * helper that refuses a packet is counted there too). Likewise.
 */
export const fullTableDrops = (): Promise<number | undefined> => sumOf('drop');

const sumOf = async (name: string): Promise<number | undefined> => {
  const text = await readFile(FILE, 'utf8').catch(() => '');
  const [names = '', ...rows] = text.trim().split('\n');
  const column = names.split(/\s+/).indexOf(name);
  const counts = rows.map((row) => Number.parseInt(row.split(/\s+/)[column] ?? '', 16));
  return column < 0 || rows.length === 0 || counts.some(Number.isNaN)
    ? undefined
    : counts.reduce((sum, count) => sum + count, 0);
};
