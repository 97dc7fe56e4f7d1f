import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import type { ClusterConfig } from '../config/types.ts';

/** Nobody listens there (RFC 863), should the address asked for exist. */
const DISCARD = 9;

/**
 * Has neighbours that know a shared address learn its shared MAC anew: while our rules were gone, the kernel answered
 * whoever asked with the interface's own. It is the kernel that tells them, by asking for a neighbour that isn't there in the name
 * of the shared address, three times in three seconds: a neighbour takes what any ARP request says of its sender (RFC 826),
 * Linux at most once a second. Nothing waits for it, and nothing is said if it fails.
 */
export const announceAddresses = (config: Pick<ClusterConfig, 'interfaces'>): void => {
  for (const { address, prefix } of config.interfaces.flatMap(({ addresses }) => addresses)) {
    if (isIPv4(address) && prefix <= 30) {
      send(address, someNeighbour(address, prefix));
    }
  }
};

/** An address of the same subnet, most likely nobody's: not its first or last, which are no host's. */
const someNeighbour = (address: string, prefix: number): string => {
  const own = address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0);
  const size = 2 ** (32 - prefix);
  const first = own - (own % size);
  const found = first + randomInt(1, size - 1);
  const other = found === own ? first + ((own - first) % (size - 2)) + 1 : found;
  return [24, 16, 8, 0].map((shift) => (other >>> shift) & 255).join('.');
};

const send = (from: string, to: string): void => {
  const socket = createSocket('udp4');
  socket.once('error', () => socket.close());
  socket.bind(0, from, () => {
    socket.send('', DISCARD, to, () => socket.close());
  });
};
