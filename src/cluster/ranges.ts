import type { Group } from './groups.ts';

/** A range of ports or ICMP ids, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Ports below are for services on the firewall itself: SNAT never uses them. */
const FIRST_PORT = 1024;
const LAST_PORT = 65535;
const PORTS = LAST_PORT - FIRST_PORT + 1;

/**
 * The source ports, and the ICMP ids, that SNAT gives to the flows of a bucket. The ranges of all buckets follow each
 * other and cover 1024 to 65535 without a gap; where that can't be divided evenly they differ by one port.
 *
 * @param bucket from 0 to buckets - 1
 * @param buckets from 1 to 64512
 * @throws RangeError when bucket or buckets is out of range
 */
export const portRange = (bucket: number, buckets: number): PortRange => {
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > PORTS) {
    throw new RangeError(`expected from 1 to ${PORTS} buckets, got ${buckets}`);
  }
  if (!Number.isInteger(bucket) || bucket < 0 || bucket >= buckets) {
    throw new RangeError(`expected a bucket from 0 to ${buckets - 1}, got ${bucket}`);
  }
  return { first: start(bucket, buckets), last: start(bucket + 1, buckets) - 1 };
};

const start = (bucket: number, buckets: number): number =>
  FIRST_PORT + Math.floor((bucket * PORTS) / buckets);

/** What the flows of a bucket are translated to: an address, and ports or ICMP ids from first to last. */
export interface Share {
  readonly bucket: number;
  readonly address: string;
  readonly first: number;
  readonly last: number;
}

export const sharesOf = (
  addresses: readonly string[],
  _groups: readonly Group[],
  buckets: number,
): readonly Share[] => {
  const [address] = addresses;
  return address === undefined
    ? []
    : Array.from({ length: buckets }, (_, bucket) => ({ bucket, address, ...portRange(bucket, buckets) }));
};
