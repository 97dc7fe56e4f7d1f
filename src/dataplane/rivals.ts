import type { Warning } from '../cluster/warning.ts';
import type { ClusterConfig } from '../config/types.ts';
import type { NatChain } from '../kernel/chain-message.ts';
import { byFamily } from './family.ts';
import { AGENT_TABLE, FAMILIES, TABLE } from './owned.ts';

/**
 * The chains of others that translate before ours: the first chain that gives a flow a translation decides, and
 * ports that aren't the bucket's have the answers go to another node. None without SNAT.
 */
export const rivalsOf = (
  config: Pick<ClusterConfig, 'interfaces'>,
  chains: readonly NatChain[],
): readonly Warning[] => {
  const translated = byFamily(config.interfaces.flatMap(({ snat }) => snat));
  const own = chains.find(isOurs);
  return own === undefined
    ? []
    : chains
        .filter(
          (chain) =>
            !isOurs(chain) &&
            chain.table !== AGENT_TABLE &&
            (chain.family === 'inet' || translated[chain.family === 'ip6' ? 'ip6' : 'ip'].length > 0) &&
            chain.priority <= own.priority,
        )
        .map(
          ({ family, table, chain, priority }): Warning => ({
            code: 'other-translation',
            object: `${family} ${table} ${chain}`,
            text: `table ${family} ${table}, chain ${chain} (priority ${priority}) translates before conntrack-ha (${own.priority}): answers to a flow of the cluster that it translates go to the wrong node; give it a priority above ${own.priority}, or leave those flows out (docs/coexistence.md)`,
          }),
        );
};

const isOurs = ({ family, table }: NatChain): boolean =>
  table === TABLE && FAMILIES.some((one) => one === family);
