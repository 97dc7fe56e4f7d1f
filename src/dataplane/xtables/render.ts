import type { ClusterConfig, NodeConfig } from '../../config/types.ts';
import { type Plan, planOf } from '../plan.ts';
import { arpTable } from './arp-table.ts';
import { mangleTable } from './mangle-table.ts';
import { TABLES, type Table } from './names.ts';
import { natTable } from './nat-table.ts';
import { NOTHING, type Present } from './present.ts';
import { rawTable } from './raw-table.ts';
import { loading, removing } from './restore-file.ts';

/** The file for `iptables-restore --noflush`, closed, with nft's table as a comment: to read. */
export const renderXtables = (config: ClusterConfig, node: NodeConfig): string => {
  const plan = planOf(config, node);
  return [
    `# The data plane of ${node.name} in the cluster ${config.cluster}, as conntrack-ha loads it: iptables-restore --noflush`,
    '# What you add to these chains is gone at the next start: put rules of your own into chains of your own.',
    '# Beside it nft loads, for ARP:',
    ...arpTable(plan)
      .trimEnd()
      .split('\n')
      .map((line) => `#   ${line}`),
    xtablesSections(plan, []),
  ].join('\n');
};

/** The sections for `iptables-restore --noflush` that bring our chains, whatever of them is there, with `owned` open. */
export const xtablesSections = (plan: Plan, owned: readonly number[], present: Present = NOTHING): string => {
  const wanted = [rawTable(plan), natTable(plan), mangleTable(plan, owned)];
  return TABLES.map((name) => {
    const table = wanted.find((one): one is Table => one?.name === name);
    return table === undefined ? removing(name, present) : loading(table, present);
  }).join('');
};
