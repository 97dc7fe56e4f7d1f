import { type Address, familyOf } from '../cluster/address.ts';
import type { Flow, Tuple } from '../cluster/flow.ts';
import {
  attributeEnd,
  attributeType,
  HEADER,
  nextAttribute,
  readByte,
  readHost32,
  readIpv6,
  readNet16,
  readNet32,
} from './attributes.ts';
import { NetlinkReplyError } from './error.ts';
import {
  CTA_IP_V4_DST,
  CTA_IP_V4_SRC,
  CTA_IP_V6_DST,
  CTA_IP_V6_SRC,
  CTA_PROTO_DST_PORT,
  CTA_PROTO_ICMP_CODE,
  CTA_PROTO_ICMP_ID,
  CTA_PROTO_ICMP_TYPE,
  CTA_PROTO_ICMPV6_CODE,
  CTA_PROTO_ICMPV6_ID,
  CTA_PROTO_ICMPV6_TYPE,
  CTA_PROTO_NUM,
  CTA_PROTO_SRC_PORT,
  CTA_STATUS,
  CTA_TIMEOUT,
  CTA_TUPLE_IP,
  CTA_TUPLE_ORIG,
  CTA_TUPLE_PROTO,
  CTA_TUPLE_REPLY,
  CTA_TUPLE_ZONE,
  CTA_ZONE,
} from './flow-attributes.ts';
import { NFGEN_BYTES } from './message.ts';

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
  let src: Address | undefined;
  let dst: Address | undefined;
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
        switch (fieldType) {
          case CTA_IP_V4_SRC:
            src = readHost32(view, field);
            break;
          case CTA_IP_V4_DST:
            dst = readHost32(view, field);
            break;
          case CTA_IP_V6_SRC:
            src = readIpv6(view, field);
            break;
          case CTA_IP_V6_DST:
            dst = readIpv6(view, field);
            break;
        }
        continue;
      }
      switch (fieldType) {
        case CTA_PROTO_NUM:
          protocol = readByte(view, field);
          break;
        case CTA_PROTO_SRC_PORT:
        case CTA_PROTO_ICMP_ID:
        case CTA_PROTO_ICMPV6_ID:
          sport = readNet16(view, field);
          break;
        case CTA_PROTO_DST_PORT:
          dport = readNet16(view, field);
          break;
        case CTA_PROTO_ICMP_TYPE:
        case CTA_PROTO_ICMPV6_TYPE:
          dport |= readByte(view, field) << 8;
          break;
        case CTA_PROTO_ICMP_CODE:
        case CTA_PROTO_ICMPV6_CODE:
          dport |= readByte(view, field);
          break;
      }
    }
  }
  if (protocol < 0 || src === undefined || dst === undefined) {
    throw new NetlinkReplyError('a tuple without its addresses or protocol', tuple);
  }
  if (familyOf(src) !== familyOf(dst)) {
    throw new NetlinkReplyError('a tuple of two families', tuple);
  }
  return { protocol, src, dst, sport, dport };
};
