import { ConfigError } from './error.ts';
import { listed } from './leaf.ts';
import type { ClusterConfig, NodeConfig } from './types.ts';

/** What may say which node this machine is; the first that is there counts. */
export interface NodeSources {
  /** The option --node. */
  readonly option?: string | undefined;
  /** The environment's CONNTRACK_HA_NODE; an empty one doesn't count. */
  readonly env?: string | undefined;
  /** The host name, with or without its domain. */
  readonly hostname: string;
}

/**
 * Which node this machine is. Capitals don't matter, as in host names (RFC 4343).
 *
 * @throws ConfigError naming the nodes if it is none of them
 */
export const findNode = (config: ClusterConfig, sources: NodeSources): NodeConfig => {
  const { path, name, mend } = chosen(sources);
  const node = config.nodes.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (node !== undefined) {
    return node;
  }
  const known = listed(config.nodes.map((one) => one.name));
  throw new ConfigError([
    {
      file: undefined,
      line: undefined,
      column: undefined,
      path,
      problem: `${JSON.stringify(name)} is no node of the cluster ${config.cluster}`,
      mend: mend(known),
    },
  ]);
};

const chosen = ({ option, env, hostname }: NodeSources) => {
  if (option !== undefined) {
    return { path: '--node', name: option, mend: (known: string) => `use ${known}` };
  }
  if (env !== undefined && env !== '') {
    return { path: 'CONNTRACK_HA_NODE', name: env, mend: (known: string) => `use ${known}` };
  }
  return {
    path: 'host name',
    name: hostname.split('.')[0] ?? hostname,
    mend: (known: string) => `use --node or CONNTRACK_HA_NODE with ${known}, or add this host to nodes`,
  };
};
