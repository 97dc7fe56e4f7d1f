import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';

/** When a table of ours was gone, in milliseconds since 1970; `to` is undefined while it still is. */
export interface Absence {
  readonly from: number;
  readonly to: number | undefined;
}

/** Every line that the kernel's transactions make, with the time at which it came (EPOCHREALTIME, bash(1)). */
const MONITOR = 'nft monitor | while read -r line; do echo "$EPOCHREALTIME $line"; done';

/**
 * Looks when a node's table `netdev conntrack_ha` comes and goes from now on, as the kernel announces it; returns how to read
 * it. One that a load replaces in one transaction was never gone.
 */
export const watchTables = async (node: FirewallNode): Promise<() => Promise<readonly Absence[]>> => {
  const monitor = await node.machine.spawn('table-monitor', ['bash', '-c', MONITOR]);
  const before = (await monitor.output()).length;
  // It doesn't say when it begins to listen: it is given something to tell until it does.
  await until(
    'nft monitor',
    async () => {
      await node.run(['nft', 'add table ip lab_probe; delete table ip lab_probe']);
      return (await monitor.output()).slice(before).includes('lab_probe');
    },
    5000,
  );
  return async () => absences((await monitor.output()).slice(before));
};

const absences = (text: string): readonly Absence[] => {
  const found: { from: number; to: number | undefined }[] = [];
  for (const transaction of text.split(/^.*# new generation.*$/m)) {
    const last = [...transaction.matchAll(/^(\S+) (add|delete) table netdev conntrack_ha$/gm)].at(-1);
    const at = Number(last?.[1]) * 1000;
    const open = found.find(({ to }) => to === undefined);
    if (last?.[2] === 'delete') {
      found.push({ from: at, to: undefined });
    } else if (last?.[2] === 'add' && open !== undefined) {
      open.to = at;
    }
  }
  return found;
};
