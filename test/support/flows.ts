import { type Address, parseAddress } from '../../src/cluster/address.ts';
import type { Flow, Tuple } from '../../src/cluster/flow.ts';

export const TCP = 6;
export const UDP = 17;

/** Addresses and ports: `192.168.0.20:4000`, `[fd00::20]:4000`. */
export const tuple = (from: string, to: string, protocol = TCP): Tuple => {
  const [src, sport] = end(from);
  const [dst, dport] = end(to);
  return { protocol, src, dst, sport, dport };
};

const end = (text: string): [Address, number] => {
  const [, ipv6, ipv4 = '', port = '0'] = /^(?:\[(.*)]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return [parseAddress(ipv6 ?? ipv4), Number(port)];
};

/** A flow as conntrack holds it; `translated` is where the answer goes to if not to where it came from. */
export const flow = (from: string, to: string, translated = from, protocol = TCP): Flow => ({
  original: tuple(from, to, protocol),
  reply: tuple(to, translated, protocol),
  status: 0,
  timeout: 100,
});
