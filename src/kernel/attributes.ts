import type { Ipv6Address } from '../cluster/address.ts';
import { NetlinkReplyError } from './error.ts';
import { aligned } from './message.ts';

/**
 * Reading attributes (struct nlattr) of a reply, every length checked before it is believed. An attribute is named by
 * the offset of its header; `end` is where what encloses it ends.
 *
 *   for (let at = start; at < end; at = nextAttribute(view, at, end)) {
 *     switch (attributeType(view, at)) { case CTA_STATUS: status = net32(view, at); ... }
 *   }
 */
export const HEADER = 4;
/** Without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const TYPE_MASK = 0x3fff;

/**
 * Offset of the attribute after the one at `at`. Throws a NetlinkReplyError unless the one at `at` lies wholly
 * before `end`, so call it (or `checkAttribute`) before reading.
 */
export const nextAttribute = (view: DataView, at: number, end: number): number =>
  aligned(checkAttribute(view, at, end));

/** End of the attribute at `at`, padding not counted. */
export const checkAttribute = (view: DataView, at: number, end: number): number => {
  if (at + HEADER > end) {
    throw new NetlinkReplyError(`${end - at} bytes where an attribute's header should be`, at);
  }
  const length = view.getUint16(at, true);
  if (length < HEADER || at + length > end) {
    throw new NetlinkReplyError(
      `attribute ${attributeType(view, at)} says ${length} bytes, ${end - at} are left`,
      at,
    );
  }
  return at + length;
};

export const attributeType = (view: DataView, at: number): number => view.getUint16(at + 2, true) & TYPE_MASK;

/** Where the attribute's payload ends; `checkAttribute` must have seen it. */
export const attributeEnd = (view: DataView, at: number): number => at + view.getUint16(at, true);

export const readByte = (view: DataView, at: number): number => view.getUint8(payload(view, at, 1));

/** 16 bits in network order. */
export const readNet16 = (view: DataView, at: number): number => view.getUint16(payload(view, at, 2));

/** 32 bits in network order. */
export const readNet32 = (view: DataView, at: number): number => view.getUint32(payload(view, at, 4));

/** 64 bits in network order; exact up to 2^53. */
export const readNet64 = (view: DataView, at: number): number =>
  Number(view.getBigUint64(payload(view, at, 8)));

/** 32 bits in host order. */
export const readHost32 = (view: DataView, at: number): number => view.getUint32(payload(view, at, 4), true);

export const readIpv6 = (view: DataView, at: number): Ipv6Address => {
  const start = payload(view, at, 16);
  return {
    first: view.getInt32(start, true),
    second: view.getInt32(start + 4, true),
    third: view.getInt32(start + 8, true),
    fourth: view.getInt32(start + 12, true),
  };
};

/** Text up to its closing zero. */
export const readText = (view: DataView, at: number): string => {
  const bytes = new Uint8Array(
    view.buffer,
    view.byteOffset + at + HEADER,
    attributeEnd(view, at) - at - HEADER,
  );
  const zero = bytes.indexOf(0);
  return new TextDecoder().decode(zero === -1 ? bytes : bytes.subarray(0, zero));
};

const payload = (view: DataView, at: number, length: number): number => {
  if (view.getUint16(at, true) < HEADER + length) {
    throw new NetlinkReplyError(`attribute ${attributeType(view, at)} is shorter than ${length} bytes`, at);
  }
  return at + HEADER;
};
