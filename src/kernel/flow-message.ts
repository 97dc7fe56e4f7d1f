import type { Flow, Tuple } from '../cluster/flow.ts';
import {
  attributeEnd,
  attributeType,
  HEADER,
  nextAttribute,
  readByte,
  readHost32,
  readNet16,
  readNet32,
} from './attributes.ts';
import { NetlinkReplyError } from './error.ts';
import { type MessageWriter, NFGEN_BYTES } from './message.ts';

/** Tuples and flows in ctnetlink messages, include/uapi/linux/netfilter/nfnetlink_conntrack.h. */

export const AF_INET = 2;

const NFNL_SUBSYS_CTNETLINK = 1;
const ctnetlink = (message: number): number => (NFNL_SUBSYS_CTNETLINK << 8) | message;
export const CT_NEW = ctnetlink(0);
export const CT_GET = ctnetlink(1);
export const CT_DELETE = ctnetlink(2);

export const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_STATUS = 3;
const CTA_PROTOINFO = 4;
const CTA_NAT_SRC = 6;
const CTA_TIMEOUT = 7;
const CTA_NAT_DST = 13;
const CTA_ZONE = 18;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_TUPLE_ZONE = 3;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;
const CTA_PROTO_ICMP_ID = 4;
const CTA_PROTO_ICMP_TYPE = 5;
const CTA_PROTO_ICMP_CODE = 6;
const CTA_PROTOINFO_TCP = 1;
const CTA_PROTOINFO_TCP_STATE = 1;
const CTA_PROTOINFO_TCP_FLAGS_ORIGINAL = 4;
const CTA_PROTOINFO_TCP_FLAGS_REPLY = 5;
const CTA_NAT_V4_MINIP = 1;
const CTA_NAT_V4_MAXIP = 2;
const CTA_NAT_PROTO = 3;
const CTA_PROTONAT_PORT_MIN = 1;
const CTA_PROTONAT_PORT_MAX = 2;

export const ICMP = 1;
const TCP = 6;

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
  writer.openNest(type);
  writer.openNest(CTA_TUPLE_IP);
  writer.host32(CTA_IP_V4_SRC, tuple.src);
  writer.host32(CTA_IP_V4_DST, tuple.dst);
  writer.closeNest();
  writer.openNest(CTA_TUPLE_PROTO);
  writer.byte(CTA_PROTO_NUM, tuple.protocol);
  if (tuple.protocol === ICMP) {
    writer.net16(CTA_PROTO_ICMP_ID, tuple.sport);
    writer.byte(CTA_PROTO_ICMP_TYPE, tuple.dport >>> 8);
    writer.byte(CTA_PROTO_ICMP_CODE, tuple.dport & 255);
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
  writeTuple(writer, CTA_TUPLE_ORIG, original);
  writeTuple(writer, CTA_TUPLE_REPLY, {
    ...reply,
    src: original.dst,
    dst: original.src,
    ...(original.protocol === ICMP
      ? { sport: original.sport }
      : { sport: original.dport, dport: original.sport }),
  });
  const icmp = original.protocol === ICMP;
  const sourcePort = icmp ? reply.sport : reply.dport;
  if (reply.dst !== original.src || sourcePort !== original.sport) {
    writeNat(writer, CTA_NAT_SRC, reply.dst, sourcePort);
  }
  if (reply.src !== original.dst || (!icmp && reply.sport !== original.dport)) {
    writeNat(writer, CTA_NAT_DST, reply.src, icmp ? original.sport : reply.sport);
  }
  writer.net32(CTA_STATUS, (flow.status & SETTABLE_STATUS) | IPS_CONFIRMED);
  writer.net32(CTA_TIMEOUT, flow.timeout);
  if (original.protocol === TCP) {
    writer.openNest(CTA_PROTOINFO);
    writer.openNest(CTA_PROTOINFO_TCP);
    writer.byte(CTA_PROTOINFO_TCP_STATE, flow.tcpState ?? 3);
    writer.net16(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, LIBERAL);
    writer.net16(CTA_PROTOINFO_TCP_FLAGS_REPLY, LIBERAL);
    writer.closeNest();
    writer.closeNest();
  }
};

const writeNat = (writer: MessageWriter, type: number, address: number, port: number): void => {
  writer.openNest(type);
  writer.host32(CTA_NAT_V4_MINIP, address);
  writer.host32(CTA_NAT_V4_MAXIP, address);
  writer.openNest(CTA_NAT_PROTO);
  writer.net16(CTA_PROTONAT_PORT_MIN, port);
  writer.net16(CTA_PROTONAT_PORT_MAX, port);
  writer.closeNest();
  writer.closeNest();
};

/**
 * The entry in one message of a dump. Undefined for one in a conntrack zone: a tuple doesn't say which, so it could
 * not be addressed. Throws a NetlinkReplyError.
 */
export const parseFlow = (view: DataView, at: number, end: number): Flow | undefined => {
  let original: Tuple | undefined;
  let reply: Tuple | undefined;
  let status = 0;
  let timeout = 0;
  let zoned = false;
  for (let attribute = at + NFGEN_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    switch (attributeType(view, attribute)) {
      case CTA_TUPLE_ORIG:
        original = parseTuple(view, attribute);
        zoned ||= original === undefined;
        break;
      case CTA_TUPLE_REPLY:
        reply = parseTuple(view, attribute);
        zoned ||= reply === undefined;
        break;
      case CTA_STATUS:
        status = readNet32(view, attribute);
        break;
      case CTA_TIMEOUT:
        timeout = readNet32(view, attribute);
        break;
      case CTA_ZONE:
        zoned = true;
        break;
    }
  }
  if (zoned) {
    return undefined;
  }
  if (original === undefined || reply === undefined) {
    throw new NetlinkReplyError('a conntrack entry without its tuples', at);
  }
  return { original, reply, status, timeout };
};

/** Undefined for a tuple in a zone. */
const parseTuple = (view: DataView, tuple: number): Tuple | undefined => {
  const end = attributeEnd(view, tuple);
  let protocol = -1;
  let src = -1;
  let dst = -1;
  let sport = 0;
  let dport = 0;
  for (let part = tuple + HEADER, next = 0; part < end; part = next) {
    next = nextAttribute(view, part, end);
    const type = attributeType(view, part);
    const partEnd = attributeEnd(view, part);
    if (type === CTA_TUPLE_ZONE) {
      return undefined;
    }
    if (type !== CTA_TUPLE_IP && type !== CTA_TUPLE_PROTO) {
      continue;
    }
    for (let field = part + HEADER, after = 0; field < partEnd; field = after) {
      after = nextAttribute(view, field, partEnd);
      const fieldType = attributeType(view, field);
      if (type === CTA_TUPLE_IP) {
        if (fieldType === CTA_IP_V4_SRC) {
          src = readHost32(view, field);
        } else if (fieldType === CTA_IP_V4_DST) {
          dst = readHost32(view, field);
        }
        continue;
      }
      switch (fieldType) {
        case CTA_PROTO_NUM:
          protocol = readByte(view, field);
          break;
        case CTA_PROTO_SRC_PORT:
        case CTA_PROTO_ICMP_ID:
          sport = readNet16(view, field);
          break;
        case CTA_PROTO_DST_PORT:
          dport = readNet16(view, field);
          break;
        case CTA_PROTO_ICMP_TYPE:
          dport |= readByte(view, field) << 8;
          break;
        case CTA_PROTO_ICMP_CODE:
          dport |= readByte(view, field);
          break;
      }
    }
  }
  if (protocol < 0 || src < 0 || dst < 0) {
    throw new NetlinkReplyError('a tuple without its addresses or protocol', tuple);
  }
  return { protocol, src, dst, sport, dport };
};
