import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import type { Owned } from './nftables/netdev-table.ts';
import { nftablesRules } from './nftables/nftables.ts';
import { xtablesRules } from './xtables/xtables.ts';

/** The packet filter's part of the data plane. What fails throws ProgramError, and what reading netlink throws. */
export interface Rules {
  /** What `load` loads, closed: another text, other rules. */
  readonly text: (config: ClusterConfig, node: NodeConfig) => Promise<string>;
  /** Brings our rules, or replaces those that are there; no others are touched. From the first packet on `owned` are filtered. */
  readonly load: (config: ClusterConfig, node: NodeConfig, owned: Owned) => Promise<void>;
  /** Removes ours, whether they are there or not. */
  readonly remove: () => Promise<void>;
  /** Whether all of ours are in the kernel. */
  readonly loaded: (config: ClusterConfig) => Promise<boolean>;
  /** @param lease milliseconds that a bucket stays without being renewed; 0, and always with xtables: for ever */
  readonly owned: (config: ClusterConfig, lease?: number) => OwnedHandle;
}

/** The buckets that this node filters, in the kernel. See OwnedSet in transitions/edges.ts. */
export interface OwnedHandle {
  /** Throws SetMissingError or ChainMissingError where no rules are loaded. */
  readonly read: () => Promise<ReadonlySet<number>>;
  readonly change: (change: {
    readonly add: readonly number[];
    readonly remove: readonly number[];
  }) => Promise<void>;
  readonly renew: (buckets: readonly number[]) => Promise<void>;
  readonly close: () => void;
}

export const rulesOf = (firewall: ClusterConfig['firewall']): Rules => RULES[firewall];

const RULES: Readonly<Record<ClusterConfig['firewall'], Rules>> = {
  nftables: nftablesRules,
  xtables: xtablesRules,
};
