import { addressWord } from '../../src/cluster/address.ts';
import { bucketOf as bucketOfAddress } from '../../src/cluster/hash.ts';
import { SEED } from '../../test/lab/rig/plan.ts';

/** One direction of a flow of UDP. */
export interface Tuple {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
}

/** What differs between IPv4 and IPv6: hosts, and the header of a datagram. */
export interface Family {
  readonly name: string;
  readonly etherType: number;
  readonly prefix: number;
  /** Addresses inside whose buckets are in the lower half: fw1's, in a cluster of two. */
  readonly own: readonly string[];
  /** Those in the upper half. */
  readonly foreign: readonly string[];
  /** Outside. xt_cluster takes it for the other node's, where it has no state of a flow: an answer is foreign then too. */
  readonly server: string;
  /** The header before `length` bytes of UDP. */
  readonly header: (tuple: Tuple, length: number) => Buffer;
}

/** Of the cluster's configuration. */
export const BUCKETS = 64;

/** The bucket of an inside address, of 64. */
export const bucketOf = (address: string): number => bucketOfAddress(addressWord(address), SEED, BUCKETS);

const isOwn = (address: string): boolean => bucketOf(address) < BUCKETS / 2;

const hosts = (network: string): readonly string[] =>
  Array.from({ length: 200 }, (_, index) => `${network}.${index + 10}`);

const clients = hosts('192.168.0');

export const IPV4: Family = {
  name: 'IPv4',
  etherType: 0x0800,
  prefix: 24,
  own: clients.filter(isOwn),
  foreign: clients.filter((address) => !isOwn(address)),
  server: hosts('192.168.1').find((address) => !isOwn(address)) ?? '',
  header: ({ from, to }, length) => {
    const header = Buffer.alloc(20);
    header.writeUInt8(0x45, 0);
    header.writeUInt16BE(header.length + length, 2);
    header.writeUInt8(64, 8);
    header.writeUInt8(17, 9);
    header.writeUInt32LE(addressWord(from), 12);
    header.writeUInt32LE(addressWord(to), 16);
    header.writeUInt16BE(checksum(header), 10);
    return header;
  },
};

/** Of the Internet header: the complement of the sum in one's complement, 16 bits at a time. RFC 1071. */
const checksum = (header: Buffer): number => {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) {
    sum += header.readUInt16BE(at);
  }
  while (sum > 0xffff) {
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return ~sum & 0xffff;
};
