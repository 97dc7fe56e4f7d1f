import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { localAddresses } from '../kernel/links.ts';

/**
 * The addresses of this machine that the nodes don't share, if it is `node`; none if it isn't. Connections of the firewall
 * itself have one of them.
 */
export const ownAddresses = async (config: ClusterConfig, node: NodeConfig): Promise<readonly string[]> => {
  const local = new Set((await localAddresses()).map(({ address }) => address));
  if (!local.has(node.sync)) {
    return [];
  }
  const shared = new Set(
    config.interfaces.flatMap(({ addresses, snat }) => [...addresses.map(({ address }) => address), ...snat]),
  );
  return [...local].filter((address) => !shared.has(address) && !address.startsWith('127.'));
};
