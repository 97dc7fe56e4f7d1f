import type { Family, Tuple } from './family.ts';

/** Bytes of an Ethernet frame without its check sequence: the least. */
const SHORTEST = 60;

const CLIENT_PORT = 40_000;

/** So many flows from the clients to a port of the server. */
export const flowsFrom = (
  clients: readonly string[],
  { server, port }: { readonly server: string; readonly port: number },
  count: number,
): readonly Tuple[] => {
  const flows = Array.from({ length: Math.ceil(count / clients.length) }, (_, turn) =>
    clients.map((from) => ({ from, to: server, fromPort: CLIENT_PORT + turn, toPort: port })),
  );
  return flows.flat().slice(0, count);
};

export const reversed = ({ from, to, fromPort, toPort }: Tuple): Tuple => ({
  from: to,
  to: from,
  fromPort: toPort,
  toPort: fromPort,
});

/**
 * What trafgen reads: one shortest frame for each tuple, all to one MAC. They have no UDP checksum: the kernel would compute
 * it, which network cards do for it.
 */
export const packetsOf = (family: Family, mac: string, tuples: readonly Tuple[]): string =>
  tuples.map((tuple) => `{ ${[...frame(family, mac, tuple)].join(', ')} }\n`).join('');

const SENDER = '02:00:00:00:99:01';

const frame = (family: Family, mac: string, tuple: Tuple): Buffer => {
  const ethernet = Buffer.from(`${mac}${SENDER}`.replaceAll(':', ''), 'hex');
  const type = Buffer.alloc(2);
  type.writeUInt16BE(family.etherType);
  const room = SHORTEST - ethernet.length - type.length - family.header(tuple, 0).length;
  const udp = Buffer.alloc(Math.max(room, 8));
  udp.writeUInt16BE(tuple.fromPort, 0);
  udp.writeUInt16BE(tuple.toPort, 2);
  udp.writeUInt16BE(udp.length, 4);
  return Buffer.concat([ethernet, type, family.header(tuple, udp.length), udp]);
};
