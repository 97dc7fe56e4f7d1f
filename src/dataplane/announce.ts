import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { run } from '../system/run.ts';

/** Nobody listens there (RFC 863), should the address asked for exist. */
const DISCARD = 9;
/** Linux takes no second answer about a neighbour within a second (locktime in arp(7)): it may have just been told the wrong one. */
const AGAIN_MS = 1_200;
/** The kernel asks again a second later, when our rules may be gone again: until then it must have forgotten the question. */
const FORGET_MS = 300;

/**
 * Has neighbours that know a shared address learn its shared MAC anew: while our rules were gone, the kernel answered
 * whoever asked with the interface's own. It is the kernel that tells them, by asking for a neighbour that isn't there in the name
 * of the shared address, now and a second later: they take what any ARP request says of its sender (RFC 826). Nothing waits
 * for it, and nothing is said if it fails. Returns how to end it.
 */
export const announceAddresses = (
  config: Pick<ClusterConfig, 'interfaces'>,
  node: NodeConfig,
): (() => void) => {
  const announce = (): void => {
    for (const { name, addresses } of config.interfaces) {
      for (const { address, prefix } of addresses) {
        if (isIPv4(address) && prefix <= 30) {
          ask(address, someNeighbour(address, prefix), deviceOf(node, name));
        }
      }
    }
  };
  announce();
  const timer = setTimeout(announce, AGAIN_MS);
  timer.unref();
  return () => clearTimeout(timer);
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

const ask = (from: string, to: string, device: string): void => {
  const socket = createSocket('udp4');
  socket.once('error', () => socket.close());
  socket.bind(0, from, () => {
    socket.send('', DISCARD, to, () => socket.close());
  });
  setTimeout(() => {
    run('ip', ['neighbour', 'delete', to, 'dev', device]).catch(() => {});
  }, FORGET_MS).unref();
};
