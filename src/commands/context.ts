import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Group, groupsOf } from '../cluster/groups.ts';
import { findNode } from '../config/node.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';

export const DEFAULT_CONFIG = '/etc/conntrack-ha/cluster.yaml';

/** The options that every command takes. */
export interface GlobalOptions {
  readonly config: string;
  readonly node?: string | undefined;
}

/** What every command works with. */
export interface Context {
  readonly config: ClusterConfig;
  /** Where it was read from, an absolute path. */
  readonly file: string;
  readonly node: NodeConfig;
  readonly groups: readonly Group[];
}

/** The command line asks for something that doesn't exist. Exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something can't be done, for a reason that `--force` would override or an administrator can mend. Exit status 1. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Loads the configuration and finds out which node this is. */
export const contextOf = async (options: GlobalOptions): Promise<Context> => {
  const { loadConfig } = await import('../config/load.ts');
  const config = await loadConfig(options.config);
  const node = findNode(config, {
    option: options.node,
    env: process.env['CONNTRACK_HA_NODE'],
    hostname: hostname(),
  });
  return { config, file: resolve(options.config), node, groups: groupsOf(config) };
};

/** The agent's control socket. */
export const socketPath = (config: ClusterConfig): string => `${config.paths.run}/agent.sock`;

/** The groups that NODE|GROUP on a command line means: a node stands for those whose home it is. */
export const groupsMeant = (groups: readonly Group[], target: string): readonly Group[] => {
  const meant = groups.filter((group) => group.name === target || group.home === target);
  if (meant.length === 0) {
    const homes = [...new Set(groups.map(({ home }) => home))];
    const known = [...homes, ...groups.map(({ name }) => name)].join(', ');
    throw new UsageError(`"${target}" is neither a node nor a group; known are ${known}`);
  }
  return meant;
};

/** Everything that changes the kernel needs root. */
export const requireRoot = (command: string): void => {
  if (process.geteuid?.() !== 0) {
    throw new RefusedError(`${command} needs root; run it with sudo`);
  }
};
