import { isIPv4 } from 'node:net';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { addressesOf, listLinks } from '../kernel/links.ts';
import type { Identity } from './circle.ts';

/** A datagram is to hold them all. */
const MOST_ADDRESSES = 64;

/** What this node is known by as it is now. Throws what `listLinks` throws. */
export const identityOf = async (config: ClusterConfig, node: NodeConfig): Promise<Identity> => {
  const used = new Set(
    [...config.interfaces.map(({ name }) => name), config.sync.interface].map((name) => deviceOf(node, name)),
  );
  const links = await listLinks();
  const addresses = (await addressesOf(links, [4]))
    .map(({ address }) => address)
    .filter((address) => isIPv4(address) && !address.startsWith('127.'));
  return {
    macs: [...new Set(links.filter(({ name }) => used.has(name)).map(({ mac }) => mac))],
    addresses: [...new Set(addresses)].slice(0, MOST_ADDRESSES),
  };
};
