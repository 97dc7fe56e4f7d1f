import { addressWord } from '../../src/cluster/address.ts';
import { bucketOf } from '../../src/cluster/hash.ts';
import { portRange } from '../../src/cluster/ranges.ts';
import type { NewFlow } from '../../src/kernel/conntrack.ts';
import { SEED, SHARED } from '../../test/lab/rig/plan.ts';

export const BUCKETS = 64;

/** The buckets of the group fw1_fw2: those that fw2 takes over when fw1 dies. */
export const BUCKETS_OF_FW1: readonly number[] = Array.from({ length: BUCKETS / 2 }, (_, index) => 2 * index);

/** ESTABLISHED for five days, the kernel's default: nothing expires while it is measured. */
const TIMEOUT = 432_000;
const TCP = 6;
const HTTPS = 443;

/**
 * `count` established TCP flows from inside addresses of fw1's buckets, translated as the data plane would: each bucket
 * into ports of its own, used anew for each server. All different, and the same each time.
 */
export function* flowsOfFw1(count: number): Generator<NewFlow, void, undefined> {
  const sources = sourcesByBucket();
  for (let made = 0, turn = 0; made < count; turn += 1) {
    for (const [bucket, addresses] of sources) {
      if (made === count) {
        return;
      }
      made += 1;
      yield flowOf(bucket, addresses, turn);
    }
  }
}

const flowOf = (bucket: number, addresses: readonly number[], turn: number): NewFlow => {
  const { first, last } = portRange(bucket, BUCKETS);
  const ports = last - first + 1;
  const port = first + (turn % ports);
  const server = serverAt(Math.floor(turn / ports));
  const src = addresses[turn % addresses.length] ?? 0;
  return {
    original: { protocol: TCP, src, sport: port, dst: server, dport: HTTPS },
    reply: { protocol: TCP, src: server, sport: HTTPS, dst: addressWord(SHARED.outside), dport: port },
    // IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED
    status: 14,
    timeout: TIMEOUT,
  };
};

/** Addresses for documentation, RFC 5737. */
const serverAt = (index: number): number => addressWord(`203.0.113.${1 + index}`);

/** Inside addresses by the bucket of fw1 that they are in, without the firewalls' own. */
const sourcesByBucket = (): ReadonlyMap<number, readonly number[]> => {
  const found = new Map<number, number[]>();
  for (let host = 10; host < 240; host += 1) {
    const word = addressWord(`192.168.0.${host}`);
    const bucket = bucketOf(word, SEED, BUCKETS);
    if (BUCKETS_OF_FW1.includes(bucket)) {
      found.set(bucket, [...(found.get(bucket) ?? []), word]);
    }
  }
  return found;
};
