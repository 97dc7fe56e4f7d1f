import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import type { Link } from './links.ts';
import { inetTable } from './nftables/inet-table.ts';
import { netdevTable, type Owned } from './nftables/netdev-table.ts';
import { FAMILIES, TABLE } from './owned.ts';
import { planOf } from './plan.ts';

/**
 * The file for `nft -f` that replaces our own tables in one transaction, and touches no others. What it renders it is
 * not sensitive to: nft 1.0.6 loads it, and lists it again.
 *
 * @param owned buckets that the node filters from the first packet on, and how long; none: closed
 * @param links the machine's interfaces, if it is the node: only to those that there are rules can be hooked, and what is announced of
 *   IPv6 depends on their MACs
 */
export const renderNftables = (
  config: ClusterConfig,
  node: NodeConfig,
  links: readonly Pick<Link, 'name' | 'mac'>[] | undefined,
  owned: Owned = { buckets: [], timeout: 0 },
): string => {
  const plan = planOf(config, node, links);
  return [
    `# The data plane of ${node.name} in the cluster ${config.cluster}, as conntrack-ha loads it.`,
    '# What you add to these tables is gone at the next start: put rules of your own into tables of your own.',
    removal,
    netdevTable(plan, owned),
    inetTable(plan, owned),
  ].join('\n');
};

/** The file for `nft -f` that removes our tables, whether they are there or not. */
export const removal: string = FAMILIES.flatMap((family) => [
  `table ${family} ${TABLE} {}`,
  `delete table ${family} ${TABLE}`,
  '',
]).join('\n');
