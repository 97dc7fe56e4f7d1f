import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { TableMender } from './mend.ts';
import { ChainMender } from './xtables/chain-mender.ts';

/** What notices that another program has removed our rules, and loads them again. */
export const menderOf = (config: ClusterConfig, node: NodeConfig): TableMender | ChainMender =>
  config.firewall === 'xtables' ? new ChainMender(config, node) : new TableMender(config, node);
