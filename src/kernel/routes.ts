import { parseAddress } from '../cluster/address.ts';
import { attributeType, nextAttribute, readHost32 } from './attributes.ts';
import type { Channel, OnMessage } from './channel.ts';
import { errnoName } from './errno.ts';
import { KernelError, NetlinkReplyError } from './error.ts';
import { MessageWriter, NLM_F_ACK, NLM_F_REQUEST } from './message.ts';

/** Where a packet of this machine to an address would go. */
export type Route =
  /** Out of the interface with this index. */
  | { readonly kind: 'out'; readonly index: number }
  /**
   * Nowhere. `local`: the address is this machine's own, or a broadcast of its; `none`: no route matches, not even a default one;
   * the others: a route of that type matches (ip-route(8)).
   */
  | { readonly kind: 'local' | 'none' | 'blackhole' | 'unreachable' | 'prohibit' };

/** include/uapi/linux/rtnetlink.h. */
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTMSG_BYTES = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTN_UNICAST = 1;

type Nowhere = Exclude<Route['kind'], 'out'>;

const KINDS = new Map<number, Nowhere>([
  [2, 'local'],
  [3, 'local'], // broadcast
  [4, 'local'], // anycast
  [6, 'blackhole'],
  [7, 'unreachable'],
  [8, 'prohibit'],
]);

/** IPv4 answers with an error where IPv6 answers with a route of that type: fib_props in net/ipv4/fib_semantics.c. */
const REFUSALS = new Map<string, Nowhere>([
  ['ENETUNREACH', 'none'],
  ['EINVAL', 'blackhole'],
  ['EHOSTUNREACH', 'unreachable'],
  ['EACCES', 'prohibit'],
]);

/**
 * The route that a packet from this machine to a host would take now, all rules and tables considered, as `ip route get` says.
 *
 * @param destination an address of either family, without a prefix length
 * @param channel of `openLinkChannel`
 * @throws RangeError if it is no address, KernelError, and what `Channel.request` throws
 */
export const routeTo = async (destination: string, channel: Channel): Promise<Route> => {
  const subject = `the route to ${destination}`;
  let found: Route | undefined;
  const { refusals } = await channel.request({
    operation: 'look up',
    subject,
    messages: 1,
    encode: (sequence) => question(destination, sequence),
    onMessage: (...message) => {
      found = parseRoute(...message) ?? found;
    },
  });
  for (const { errno } of refusals) {
    const kind = REFUSALS.get(errnoName(errno));
    if (kind === undefined) throw new KernelError(errno, 'look up', subject);
    return { kind };
  }
  if (found === undefined) throw new NetlinkReplyError(`no answer about ${subject}`, 0);
  return found;
};

const question = (destination: string, sequence: number): Uint8Array => {
  const address = parseAddress(destination);
  const writer = new MessageWriter(64);
  writer.openMessage(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_ACK, sequence);
  if (typeof address === 'number') {
    writer.rt('inet', 32);
    writer.host32(RTA_DST, address);
  } else {
    writer.rt('inet6', 128);
    writer.ipv6(RTA_DST, address);
  }
  writer.closeMessage();
  return writer.written;
};

const parseRoute: (...message: Parameters<OnMessage>) => Route | undefined = (view, at, end, type) => {
  if (type !== RTM_NEWROUTE) return undefined;
  if (at + RTMSG_BYTES > end) {
    throw new NetlinkReplyError(`a header of ${end - at} bytes, ${RTMSG_BYTES} expected`, at);
  }
  const kind = view.getUint8(at + 7);
  if (kind !== RTN_UNICAST) {
    const nowhere = KINDS.get(kind);
    if (nowhere === undefined) throw new NetlinkReplyError(`a route of type ${kind}`, at);
    return { kind: nowhere };
  }
  for (let attribute = at + RTMSG_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    if (attributeType(view, attribute) === RTA_OIF) {
      return { kind: 'out', index: readHost32(view, attribute) };
    }
  }
  throw new NetlinkReplyError('a route without its interface', at);
};
