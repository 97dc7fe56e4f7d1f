import type { NodeConfig } from '../config/types.ts';
import { localAddresses } from '../kernel/links.ts';

/** The addresses of this machine but for the loopback's, if it is `node`; none if it isn't. */
export const ownAddresses = async (node: NodeConfig): Promise<readonly string[]> => {
  const local = (await localAddresses()).map(({ address }) => address);
  return local.includes(node.sync) ? local.filter((address) => !address.startsWith('127.')) : [];
};
