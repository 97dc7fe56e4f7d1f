import { type Address, inNetworks, isSameAddress, type Network } from './address.ts';
import { bucketOf } from './hash.ts';

/** One direction of a flow, as ctnetlink gives it. Both addresses are of one family, ports are in host order. */
export interface Tuple {
  readonly protocol: number;
  readonly src: Address;
  readonly dst: Address;
  /** ICMP, ICMPv6: the id. */
  readonly sport: number;
  /** ICMP, ICMPv6: type * 256 + code. */
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
  /** The networks behind each interface whose networks are known, in the order of `rankedLegs`. */
  readonly legs: readonly (readonly Network[])[];
  /** Servers' ends of published flows, as they are behind the translation. */
  readonly published: readonly Endpoint[];
}

export interface Endpoint {
  readonly protocol: number;
  readonly address: Address;
  readonly firstPort: number;
  readonly lastPort: number;
}

/**
 * The bucket of a flow, as the data plane sorts its packets: for published services that of the client's address, for
 * every other that of the end that is behind the earlier interface.
 */
export const bucketOfFlow = (flow: Pick<Flow, 'original' | 'reply'>, hashing: Hashing): number =>
  bucketOf(hashedAddress(flow, hashing), hashing.seed, hashing.buckets);

/** The client's end is as it came, the server's as it is behind the translation. */
const hashedAddress = ({ original, reply }: Pick<Flow, 'original' | 'reply'>, hashing: Hashing): Address => {
  const [client, server] = [original.src, reply.src];
  if (hashing.published.length > 0) {
    const { protocol } = original;
    const byClient = isPublished(hashing, protocol, client, original.sport);
    const byServer = isPublished(hashing, protocol, server, reply.sport);
    // Of the servers' own flows from a published port the other end is hashed too: a packet doesn't tell which it is.
    if (byClient !== byServer) return byServer ? client : server;
  }
  return rank(server, hashing) < rank(client, hashing) ? server : client;
};

const isPublished = ({ published }: Hashing, protocol: number, address: Address, port: number): boolean =>
  published.some(
    (one) =>
      one.protocol === protocol &&
      one.firstPort <= port &&
      port <= one.lastPort &&
      isSameAddress(one.address, address),
  );

const rank = (address: Address, { legs }: Hashing): number => {
  const index = legs.findIndex((networks) => inNetworks(address, networks));
  return index < 0 ? legs.length : index;
};
