import { familyOfText, inNetworks, type Network, parseAddress, parseNetwork } from '../../cluster/address.ts';
import { addressAt, broadcastAddress, parseSubnet } from '../../config/subnet.ts';

/** How many addresses are tried at either end of a prefix. */
const CANDIDATES = 16;

/**
 * Addresses of a prefix that a host may have, as they are asked for, for most of the time the first one is enough: those at its
 * begin, then those at its end.
 *
 * @param text the prefix: 10.0.0.0/8
 * @param but networks that they are not to be of
 */
export const hostsOf = (text: string, but: readonly Network[]): Iterable<string> => {
  const source = candidates(text, but);
  const known: string[] = [];
  return {
    *[Symbol.iterator]() {
      yield* known;
      for (let next = source.next(); next.done !== true; next = source.next()) {
        known.push(next.value);
        yield next.value;
      }
    },
  };
};

function* candidates(text: string, but: readonly Network[]): Generator<string, void> {
  const subnet = parseSubnet(text);
  if (subnet === undefined) return;
  const bits = familyOfText(text) === 4 ? 32 : 128;
  // No host has a network's first or last address, unless there are no others.
  const edge = subnet.prefix >= bits - 1 ? 0 : 1;
  const last = { address: broadcastAddress(subnet), prefix: bits };
  const within = [parseNetwork(text)];
  for (const [from, step] of [[subnet, 1] as const, [last, -1] as const]) {
    for (let offset = edge; offset < edge + CANDIDATES; offset += 1) {
      const host = addressAt(from, step * offset);
      const address = parseAddress(host);
      if (!inNetworks(address, within)) break;
      if (!inNetworks(address, but)) yield host;
    }
  }
}
