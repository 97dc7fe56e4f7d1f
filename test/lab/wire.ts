import { readFile } from 'node:fs/promises';
import type { FirewallNode } from './rig/node.ts';

/** The agents' port. */
const PORT = 3781;

/** One datagram of each direction between the agents of a node and its peer, as they were on the wire a moment ago. */
export const captureDatagrams = async (
  node: FirewallNode,
): Promise<{ readonly fromPeer: Buffer; readonly toPeer: Buffer }> => {
  const file = '/run/captured.pcap';
  const own = addressOf(node);
  await node.run(['tcpdump', '-i', 'eth3', '-c', '12', '-U', '-w', file, 'udp', 'port', String(PORT)]);
  const datagrams = udpOf(await readFile(node.machine.path(file)));
  const find = (sent: boolean): Buffer => {
    const datagram = datagrams.findLast(({ from }) => (from === own) === sent)?.payload;
    if (datagram === undefined) {
      throw new RangeError(`${node.name} ${sent ? 'sent' : 'received'} no datagram`);
    }
    return datagram;
  };
  return { fromPeer: find(false), toPeer: find(true) };
};

/** Sends datagrams to the agent of the other node, from one of the node's addresses. */
export const sendDatagrams = async (
  node: FirewallNode,
  from: string,
  datagrams: readonly Buffer[],
): Promise<void> => {
  const program = `
    const socket = require('node:dgram').createSocket('udp4');
    const all = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
    socket.bind(0, ${JSON.stringify(from)}, () => {
      let left = all.length;
      for (const text of all) {
        socket.send(Buffer.from(text, 'base64'), ${PORT}, ${JSON.stringify(otherThan(node))}, () => --left || socket.close());
      }
    });`;
  const input = JSON.stringify(datagrams.map((datagram) => datagram.toString('base64')));
  await node.run([process.execPath, '-e', program], { input });
};

/** Connects to the other node's agent, writes, and waits for its end; throws "timeout" after `boundMs`. */
export const sendStream = async (
  node: FirewallNode,
  from: string,
  bytes: Buffer,
  boundMs = 5000,
): Promise<void> => {
  const to = { host: otherThan(node), port: PORT, localAddress: from };
  const program = `
    const socket = require('node:net').connect(${JSON.stringify(to)});
    socket.write(Buffer.from(${JSON.stringify(bytes.toString('base64'))}, 'base64'));
    socket.on('error', () => {});
    socket.on('close', () => process.exit());
    setTimeout(() => { console.error('timeout'); process.exit(1); }, ${boundMs});`;
  await node.run([process.execPath, '-e', program]);
};

const addressOf = (node: FirewallNode): string => node.plan.links.sync.address.split('/')[0] ?? '';

const otherThan = (node: FirewallNode): string => `10.99.0.${3 - node.plan.id}`;

/** The UDP payloads in a capture of Ethernet frames (pcap, in this machine's byte order), with their sources. */
const udpOf = (capture: Buffer): readonly { readonly from: string; readonly payload: Buffer }[] => {
  const found: { from: string; payload: Buffer }[] = [];
  for (let at = 24; at + 16 <= capture.length; ) {
    const length = capture.readUInt32LE(at + 8);
    const packet = capture.subarray(at + 16 + 14, at + 16 + length);
    const header = (packet.readUInt8(0) & 15) * 4;
    found.push({ from: packet.subarray(12, 16).join('.'), payload: packet.subarray(header + 8) });
    at += 16 + length;
  }
  return found;
};
