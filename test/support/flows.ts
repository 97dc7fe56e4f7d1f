import { addressWord } from '../../src/cluster/address.ts';
import type { Flow, Tuple } from '../../src/cluster/flow.ts';

export const TCP = 6;
export const UDP = 17;

/** Addresses, dotted, and ports: `192.168.0.20:4000`. */
export const tuple = (from: string, to: string, protocol = TCP): Tuple => {
  const [src = '', sport = '0'] = from.split(':');
  const [dst = '', dport = '0'] = to.split(':');
  return {
    protocol,
    src: addressWord(src),
    dst: addressWord(dst),
    sport: Number(sport),
    dport: Number(dport),
  };
};

/** A flow as conntrack holds it; `translated` is where the answer goes to if not to where it came from. */
export const flow = (from: string, to: string, translated = from, protocol = TCP): Flow => ({
  original: tuple(from, to, protocol),
  reply: tuple(to, translated, protocol),
  status: 0,
  timeout: 100,
});
