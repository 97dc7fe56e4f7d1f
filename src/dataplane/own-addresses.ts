import { isConfined, parseAddress } from '../cluster/address.ts';
import type { NodeConfig } from '../config/types.ts';
import { localAddresses } from '../kernel/links.ts';

/** The addresses of this machine but for the loopback's and link-local ones, if it is `node`; none if it isn't. */
export const ownAddresses = async (node: NodeConfig): Promise<readonly string[]> => {
  const local = (await localAddresses([4, 6])).map(({ address }) => address);
  return local.includes(node.sync) ? local.filter((address) => !isConfined(parseAddress(address))) : [];
};
