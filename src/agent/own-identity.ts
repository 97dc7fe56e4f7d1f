import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { addressesOf, listLinks } from '../kernel/links.ts';
import type { Identity } from './circle.ts';

/** A datagram is to hold them all. */
const MOST_ADDRESSES = 64;

/**
 * What this node is known by as it is now: of its addresses those of the cluster's interfaces first, where VRRP comes from, and none
 * that the nodes share. Throws what `listLinks` throws.
 */
export const identityOf = async (config: ClusterConfig, node: NodeConfig): Promise<Identity> => {
  const used = new Set(
    [...config.interfaces.map(({ name }) => name), config.sync.interface].map((name) => deviceOf(node, name)),
  );
  const links = await listLinks();
  const shared = new Set(
    config.interfaces.flatMap(({ addresses, snat }) => [...addresses.map(({ address }) => address), ...snat]),
  );
  const own = (await addressesOf(links, [4])).filter(
    ({ address }) => !address.startsWith('127.') && !shared.has(address),
  );
  const addresses = [
    ...own.filter(({ device }) => used.has(device)),
    ...own.filter(({ device }) => !used.has(device)),
  ].map(({ address }) => address);
  return {
    macs: [...new Set(links.filter(({ name }) => used.has(name)).map(({ mac }) => mac))],
    addresses: [...new Set(addresses)].slice(0, MOST_ADDRESSES),
  };
};
