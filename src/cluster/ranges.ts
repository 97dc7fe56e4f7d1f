import { familyOfText } from './address.ts';
import type { Group } from './groups.ts';

/** A range of ports or ICMP ids, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What the flows of a bucket are translated to: an address, and the ports and ICMP ids of it. */
export interface Share extends PortRange {
  readonly bucket: number;
  readonly address: string;
}

/** Ports below are for services on the firewall itself: SNAT never uses them. */
export const FIRST_PORT = 1024;
const LAST_PORT = 65535;
/** How many the buckets of one address share out. */
export const PORTS = LAST_PORT - FIRST_PORT + 1;

/**
 * The shares of all buckets, ascending. Two nodes never translate two flows alike: with as many addresses as groups and
 * more, each group has addresses of its own, and each bucket all ports of one of them, as the buckets of a group always
 * have the same owner. With fewer the buckets go round the addresses, and those of an address share out its ports.
 *
 * @param addresses at least one, all of one family
 * @param groups those that the buckets are in
 * @throws RangeError without an address, or with more buckets to an address than it has ports
 */
export const sharesOf = (
  addresses: readonly string[],
  groups: readonly Group[],
  buckets: number,
): readonly Share[] =>
  addresses.length >= groups.length ? ofGroups(addresses, groups) : ofAll(addresses, buckets);

/** The shares of each family's addresses; none of a family without. Errors as of `sharesOf`. */
export const sharesOfFamilies = (
  addresses: readonly string[],
  groups: readonly Group[],
  buckets: number,
): readonly Share[] =>
  ([4, 6] as const).flatMap((family) => {
    const own = addresses.filter((address) => familyOfText(address) === family);
    return own.length === 0 ? [] : sharesOf(own, groups, buckets);
  });

const ofGroups = (addresses: readonly string[], groups: readonly Group[]): readonly Share[] =>
  groups
    .flatMap((group, turn) => {
      const own = addresses.filter((_, index) => index % groups.length === turn);
      return group.buckets.map((bucket, index) => ({
        bucket,
        address: addressAt(own, index),
        ...portRange(0, 1),
      }));
    })
    .sort((one, other) => one.bucket - other.bucket);

const ofAll = (addresses: readonly string[], buckets: number): readonly Share[] =>
  Array.from({ length: buckets }, (_, bucket) => {
    const index = bucket % addresses.length;
    const sharers = Math.ceil((buckets - index) / addresses.length);
    return {
      bucket,
      address: addressAt(addresses, bucket),
      ...portRange(Math.floor(bucket / addresses.length), sharers),
    };
  });

const addressAt = (addresses: readonly string[], index: number): string => {
  const address = addresses[index % addresses.length];
  if (address === undefined) {
    throw new RangeError('expected an address to translate to, got none');
  }
  return address;
};

/**
 * The source ports, and the ICMP ids, that SNAT gives to the flows of a bucket that shares an address with all others. The
 * ranges of all buckets follow each other and cover 1024 to 65535 without a gap; where that can't be divided evenly they
 * differ by one port.
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
