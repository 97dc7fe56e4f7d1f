import { readFile } from 'node:fs/promises';

const FILE = '/proc/net/stat/nf_conntrack';

/**
 * How many packets conntrack has dropped in this network namespace because their flow could not be entered: among them those
 * for which translation found no free port (nf_nat_setup_info() leaves the tuple as it was, and __nf_conntrack_confirm() in
 * net/netfilter/nf_conntrack_core.c drops it). The sum of all processors. Undefined where the kernel doesn't tell
 * (CONFIG_NF_CONNTRACK_PROCFS), or not in the form that is known.
 */
export const conntrackDrops = async (): Promise<number | undefined> => {
  const text = await readFile(FILE, 'utf8').catch(() => '');
  const [names = '', ...rows] = text.trim().split('\n');
  const column = names.split(/\s+/).indexOf('insert_failed');
  const counts = rows.map((row) => Number.parseInt(row.split(/\s+/)[column] ?? '', 16));
  return column < 0 || rows.length === 0 || counts.some(Number.isNaN)
    ? undefined
    : counts.reduce((sum, count) => sum + count, 0);
};
