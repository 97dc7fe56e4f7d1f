import { type Address, isSameAddress } from '../cluster/address.ts';
import type { Flow, Tuple } from '../cluster/flow.ts';
import { isIcmp, PROTOCOL_NUMBERS } from '../cluster/protocols.ts';
import {
  CTA_IP_V4_DST,
  CTA_IP_V4_SRC,
  CTA_IP_V6_DST,
  CTA_IP_V6_SRC,
  CTA_NAT_DST,
  CTA_NAT_PROTO,
  CTA_NAT_SRC,
  CTA_NAT_V4_MAXIP,
  CTA_NAT_V4_MINIP,
  CTA_NAT_V6_MAXIP,
  CTA_NAT_V6_MINIP,
  CTA_PROTO_DST_PORT,
  CTA_PROTO_ICMP_CODE,
  CTA_PROTO_ICMP_ID,
  CTA_PROTO_ICMP_TYPE,
  CTA_PROTO_ICMPV6_CODE,
  CTA_PROTO_ICMPV6_ID,
  CTA_PROTO_ICMPV6_TYPE,
  CTA_PROTO_NUM,
  CTA_PROTO_SRC_PORT,
  CTA_PROTOINFO,
  CTA_PROTOINFO_TCP,
  CTA_PROTOINFO_TCP_FLAGS_ORIGINAL,
  CTA_PROTOINFO_TCP_FLAGS_REPLY,
  CTA_PROTOINFO_TCP_STATE,
  CTA_PROTONAT_PORT_MAX,
  CTA_PROTONAT_PORT_MIN,
  CTA_STATUS,
  CTA_TIMEOUT,
  CTA_TUPLE_IP,
  CTA_TUPLE_ORIG,
  CTA_TUPLE_PROTO,
  CTA_TUPLE_REPLY,
} from './flow-attributes.ts';
import type { MessageWriter } from './message.ts';

/** IPS_SEEN_REPLY | IPS_ASSURED | IPS_FIXED_TIMEOUT: what a request may set (ctnetlink_change_status). */
const SETTABLE_STATUS = 0x406;
const IPS_CONFIRMED = 8;

/**
 * IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_SACK_PERM, as flags and as mask: an entry made by hand has seen no
 * window, so packets outside of it must pass.
 */
const LIBERAL = 0x0a0a;

/** A flow to be made. Where the tuples aren't each other's mirror, the difference is NAT. */
export interface NewFlow extends Flow {
  /** TCP_CONNTRACK_*, include/uapi/linux/netfilter/nf_conntrack_tcp.h; ESTABLISHED (3) if not given. */
  readonly tcpState?: number;
}

export const writeTuple = (writer: MessageWriter, type: number, tuple: Tuple): void => {
  const { protocol, src, dst } = tuple;
  writer.openNest(type);
  writer.openNest(CTA_TUPLE_IP);
  writeAddress(writer, CTA_IP_V4_SRC, CTA_IP_V6_SRC, src);
  writeAddress(writer, CTA_IP_V4_DST, CTA_IP_V6_DST, dst);
  writer.closeNest();
  writer.openNest(CTA_TUPLE_PROTO);
  writer.byte(CTA_PROTO_NUM, protocol);
  if (protocol === PROTOCOL_NUMBERS.icmp) {
    writer.net16(CTA_PROTO_ICMP_ID, tuple.sport);
    writer.byte(CTA_PROTO_ICMP_TYPE, tuple.dport >>> 8);
    writer.byte(CTA_PROTO_ICMP_CODE, tuple.dport & 255);
  } else if (protocol === PROTOCOL_NUMBERS.icmpv6) {
    writer.net16(CTA_PROTO_ICMPV6_ID, tuple.sport);
    writer.byte(CTA_PROTO_ICMPV6_TYPE, tuple.dport >>> 8);
    writer.byte(CTA_PROTO_ICMPV6_CODE, tuple.dport & 255);
  } else {
    // of a protocol without ports the kernel reads only the number
    writer.net16(CTA_PROTO_SRC_PORT, tuple.sport);
    writer.net16(CTA_PROTO_DST_PORT, tuple.dport);
  }
  writer.closeNest();
  writer.closeNest();
};

/**
 * The attributes that make `flow`. NAT is given as CTA_NAT_*, from which the kernel makes the reply tuple: with status
 * bits alone it would not translate.
 */
export const writeFlow = (writer: MessageWriter, flow: NewFlow): void => {
  const { original, reply } = flow;
  const icmp = isIcmp(original.protocol);
  writeTuple(writer, CTA_TUPLE_ORIG, original);
  writeTuple(writer, CTA_TUPLE_REPLY, {
    ...reply,
    src: original.dst,
    dst: original.src,
    ...(icmp ? { sport: original.sport } : { sport: original.dport, dport: original.sport }),
  });
  const sourcePort = icmp ? reply.sport : reply.dport;
  if (!isSameAddress(reply.dst, original.src) || sourcePort !== original.sport) {
    writeNat(writer, CTA_NAT_SRC, reply.dst, sourcePort);
  }
  if (!isSameAddress(reply.src, original.dst) || (!icmp && reply.sport !== original.dport)) {
    writeNat(writer, CTA_NAT_DST, reply.src, icmp ? original.sport : reply.sport);
  }
  writer.net32(CTA_STATUS, (flow.status & SETTABLE_STATUS) | IPS_CONFIRMED);
  writer.net32(CTA_TIMEOUT, flow.timeout);
  if (original.protocol === PROTOCOL_NUMBERS.tcp) {
    writer.openNest(CTA_PROTOINFO);
    writer.openNest(CTA_PROTOINFO_TCP);
    writer.byte(CTA_PROTOINFO_TCP_STATE, flow.tcpState ?? 3);
    writer.net16(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, LIBERAL);
    writer.net16(CTA_PROTOINFO_TCP_FLAGS_REPLY, LIBERAL);
    writer.closeNest();
    writer.closeNest();
  }
};

const writeNat = (writer: MessageWriter, type: number, address: Address, port: number): void => {
  writer.openNest(type);
  writeAddress(writer, CTA_NAT_V4_MINIP, CTA_NAT_V6_MINIP, address);
  writeAddress(writer, CTA_NAT_V4_MAXIP, CTA_NAT_V6_MAXIP, address);
  writer.openNest(CTA_NAT_PROTO);
  writer.net16(CTA_PROTONAT_PORT_MIN, port);
  writer.net16(CTA_PROTONAT_PORT_MAX, port);
  writer.closeNest();
  writer.closeNest();
};

const writeAddress = (writer: MessageWriter, ipv4: number, ipv6: number, address: Address): void => {
  if (typeof address === 'number') {
    writer.host32(ipv4, address);
  } else {
    writer.ipv6(ipv6, address);
  }
};
