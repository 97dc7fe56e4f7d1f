import { isIPv4 } from 'node:net';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../../config/types.ts';
import { type Announced, isMac } from './ethernet.ts';
import { gratuitousArp } from './gratuitous-arp.ts';
import { neighbourAdvertisement } from './neighbour-advertisement.ts';

/** A shared address and where a node announces it. */
export type SharedAddress = Omit<Announced, 'source'> & { readonly device: string };

/** An interface as it is now. */
interface Port {
  readonly mac: string;
  readonly up: boolean;
}

/**
 * Every shared address that neighbours ask for. One that flows are translated to is among the interface's addresses, or in
 * none of its subnets: then it is routed to the cluster, and nobody asks.
 */
export const sharedAddresses = (
  config: Pick<ClusterConfig, 'interfaces'>,
  node: NodeConfig,
): readonly SharedAddress[] =>
  config.interfaces.flatMap(({ name, mac, addresses }) =>
    addresses.map(({ address }) => ({ device: deviceOf(node, name), address, mac })),
  );

/** The frame that tells neighbours the shared MAC; undefined where nobody would get it: the interface is down, or no Ethernet. */
export const announcementOf = (
  { address, mac }: SharedAddress,
  port: Port | undefined,
): Uint8Array | undefined => {
  if (port === undefined || !port.up || !isMac(port.mac)) {
    return undefined;
  }
  const announced = { address, mac, source: port.mac };
  return isIPv4(address) ? gratuitousArp(announced) : neighbourAdvertisement(announced);
};
