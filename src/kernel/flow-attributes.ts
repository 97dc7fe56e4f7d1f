import type { Family } from '../cluster/address.ts';

/** What tuples and flows are in ctnetlink's messages, include/uapi/linux/netfilter/nfnetlink_conntrack.h. */

const NFNL_SUBSYS_CTNETLINK = 1;
const ctnetlink = (message: number): number => (NFNL_SUBSYS_CTNETLINK << 8) | message;
export const CT_NEW = ctnetlink(0);
export const CT_GET = ctnetlink(1);
export const CT_DELETE = ctnetlink(2);

/** nfgen_family of a request: which addresses it may have. A dump of AF_UNSPEC gives both (ctnetlink_dump_table). */
export const AF_UNSPEC = 0;
export const AF_INET = 2;
const AF_INET6 = 10;
export const addressFamily = (family: Family): number => (family === 4 ? AF_INET : AF_INET6);

export const CTA_TUPLE_ORIG = 1;
export const CTA_TUPLE_REPLY = 2;
export const CTA_STATUS = 3;
export const CTA_PROTOINFO = 4;
export const CTA_NAT_SRC = 6;
export const CTA_TIMEOUT = 7;
export const CTA_NAT_DST = 13;
export const CTA_ZONE = 18;

export const CTA_TUPLE_IP = 1;
export const CTA_TUPLE_PROTO = 2;
export const CTA_TUPLE_ZONE = 3;

export const CTA_IP_V4_SRC = 1;
export const CTA_IP_V4_DST = 2;
export const CTA_IP_V6_SRC = 3;
export const CTA_IP_V6_DST = 4;

export const CTA_PROTO_NUM = 1;
export const CTA_PROTO_SRC_PORT = 2;
export const CTA_PROTO_DST_PORT = 3;
export const CTA_PROTO_ICMP_ID = 4;
export const CTA_PROTO_ICMP_TYPE = 5;
export const CTA_PROTO_ICMP_CODE = 6;
export const CTA_PROTO_ICMPV6_ID = 7;
export const CTA_PROTO_ICMPV6_TYPE = 8;
export const CTA_PROTO_ICMPV6_CODE = 9;

export const CTA_PROTOINFO_TCP = 1;
export const CTA_PROTOINFO_TCP_STATE = 1;
export const CTA_PROTOINFO_TCP_FLAGS_ORIGINAL = 4;
export const CTA_PROTOINFO_TCP_FLAGS_REPLY = 5;

export const CTA_NAT_V4_MINIP = 1;
export const CTA_NAT_V4_MAXIP = 2;
export const CTA_NAT_PROTO = 3;
export const CTA_NAT_V6_MINIP = 4;
export const CTA_NAT_V6_MAXIP = 5;
export const CTA_PROTONAT_PORT_MIN = 1;
export const CTA_PROTONAT_PORT_MAX = 2;
