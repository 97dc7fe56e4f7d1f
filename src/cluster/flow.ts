import { inNetworks, type Network } from './address.ts';
import { bucketOfWord } from './hash.ts';

/** One direction of a flow, as ctnetlink gives it. Addresses are words (see address.ts), ports are in host order. */
export interface Tuple {
  readonly protocol: number;
  readonly src: number;
  readonly dst: number;
  /** ICMP: the id. */
  readonly sport: number;
  /** ICMP: type * 256 + code. */
  readonly dport: number;
}

/** A conntrack entry as far as this program looks at it. */
export interface Flow {
  readonly original: Tuple;
  readonly reply: Tuple;
  /** IPS_* bits, include/uapi/linux/netfilter/nf_conntrack_common.h. */
  readonly status: number;
  /** Seconds until it expires. */
  readonly timeout: number;
}

/** What decides which bucket a flow is in. */
export interface Hashing {
  readonly seed: number;
  readonly buckets: number;
  /** Prefixes of the inside. */
  readonly inside: readonly Network[];
}

/**
 * The bucket of a flow: that of its inside address. A flow that began outside (its destination, after translation,
 * is inside and its source is not) has it in the reply's source; every other in the original source, which is what
 * the data plane hashes when it comes in on the inside interface.
 */
export const bucketOfFlow = (flow: Pick<Flow, 'original' | 'reply'>, hashing: Hashing): number => {
  const fromOutside =
    !inNetworks(flow.original.src, hashing.inside) && inNetworks(flow.reply.src, hashing.inside);
  const address = fromOutside ? flow.reply.src : flow.original.src;
  return bucketOfWord(address, hashing.seed, hashing.buckets);
};
