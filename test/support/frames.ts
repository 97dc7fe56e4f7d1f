import { addressBytes, ethernetFrame } from '../../src/dataplane/announce/ethernet.ts';

const ETH_P_IP = 0x0800;

export interface Advertisement {
  /** The frame's source. */
  readonly mac: string;
  readonly source: string;
  readonly vrid: number;
  readonly priority: number;
  readonly version?: 2 | 3;
}

/** The frame of a VRRP advertisement over IPv4 (RFC 5798, 5.1), without its checksum, which keepalived alone looks at. */
export const advertisement = ({ mac, source, vrid, priority, version = 3 }: Advertisement): Uint8Array => {
  const message = Buffer.alloc(12);
  message.set([(version << 4) | 1, vrid, priority, 1, 0, 10], 0);
  return ethernetFrame('01:00:5e:00:00:12', mac, ETH_P_IP, packet(112, source, '224.0.0.18', message));
};

/** The frame of a datagram, without a checksum of UDP. */
export const datagram = (
  to: { readonly mac: string; readonly address: string; readonly port: number },
  from: { readonly mac: string; readonly address: string },
): Uint8Array => {
  const message = Buffer.alloc(12);
  message.writeUInt16BE(40_000, 0);
  message.writeUInt16BE(to.port, 2);
  message.writeUInt16BE(message.length, 4);
  return ethernetFrame(to.mac, from.mac, ETH_P_IP, packet(17, from.address, to.address, message));
};

const packet = (protocol: number, source: string, destination: string, payload: Uint8Array): Uint8Array => {
  const bytes = Buffer.alloc(20 + payload.length);
  bytes.set([0x45], 0);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes.set([255, protocol], 8);
  bytes.set(addressBytes(source), 12);
  bytes.set(addressBytes(destination), 16);
  bytes.writeUInt16BE(checksum(bytes.subarray(0, 20)), 10);
  bytes.set(payload, 20);
  return bytes;
};

/** RFC 1071. */
const checksum = (bytes: Buffer): number => {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return 0xffff - sum;
};
