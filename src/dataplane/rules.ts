import type { Warning } from '../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { SetMissingError } from '../kernel/nftables.ts';
import type { TablesImprint } from './imprint.ts';
import type { Owned } from './nftables/netdev-table.ts';
import { nftablesRules } from './nftables/nftables.ts';
import { ChainMissingError } from './xtables/owned-chain.ts';
import { xtablesRules } from './xtables/xtables.ts';

/** The packet filter's part of the data plane. What fails throws ProgramError, and what reading netlink throws. */
export interface Rules {
  /** What `load` loads, closed: another text, other rules. */
  readonly text: (config: ClusterConfig, node: NodeConfig) => Promise<string>;
  /**
   * Brings our rules, or replaces those that are there; no others are touched. From the first packet on `owned` are filtered.
   * What `damage` compares with is kept in the record.
   */
  readonly load: (config: ClusterConfig, node: NodeConfig, owned: Owned) => Promise<TablesImprint>;
  /** Removes ours, whether they are there or not. */
  readonly remove: () => Promise<void>;
  /** Whether all of ours are in the kernel. */
  readonly loaded: (config: ClusterConfig) => Promise<boolean>;
  /** What others have done to ours since they were loaded, in a few words; undefined: nothing that is noticed. */
  readonly damage: (config: ClusterConfig, loaded: TablesImprint) => Promise<string | undefined>;
  /** The chains of others that translate before ours. */
  readonly rivals: (config: ClusterConfig) => Promise<readonly Warning[]>;
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
  readonly close: () => void | Promise<void>;
}

/** Whether reading or changing what is owned failed because no rules are loaded. */
export const isNotLoaded = (error: unknown): boolean =>
  error instanceof SetMissingError || error instanceof ChainMissingError;

export const rulesOf = (firewall: ClusterConfig['firewall']): Rules => RULES[firewall];

const RULES: Readonly<Record<ClusterConfig['firewall'], Rules>> = {
  nftables: nftablesRules,
  xtables: xtablesRules,
};
