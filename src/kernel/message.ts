import type { Ipv6Address } from '../cluster/address.ts';

/**
 * Writes netlink messages: nlmsghdr, a fixed header, attributes (include/uapi/linux/netlink.h). Headers are in host
 * byte order, which is little-endian on every machine that the `netlink` package has a binary for.
 */

export const NLM_F_REQUEST = 0x001;
export const NLM_F_ACK = 0x004;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_DUMP = 0x300;

export const NLA_F_NESTED = 0x8000;

export const HEADER_BYTES = 16;
/** struct nfgenmsg, include/uapi/linux/netfilter/nfnetlink.h. */
export const NFGEN_BYTES = 4;
const TCMSG_BYTES = 20;
const RTMSG_BYTES = 12;
const AF_INET = 2;
const AF_INET6 = 10;

const ALIGN = 4;
export const aligned = (length: number): number => (length + ALIGN - 1) & ~(ALIGN - 1);

/** A growing buffer of messages. `open...` and `close...` calls must pair, innermost first. */
export class MessageWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #size = 0;
  readonly #opened: number[] = [];

  /** @param capacity bytes to begin with; it grows */
  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What has been written. A view, valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Forgets everything, keeps the memory. */
  clear(): void {
    this.#size = 0;
    this.#opened.length = 0;
  }

  openMessage(type: number, flags: number, sequence: number): void {
    const at = this.#claim(HEADER_BYTES);
    this.#view.setUint16(at + 4, type, true);
    this.#view.setUint16(at + 6, flags, true);
    this.#view.setUint32(at + 8, sequence, true);
    this.#opened.push(at);
  }

  closeMessage(): void {
    const at = this.#opened.pop() ?? 0;
    this.#view.setUint32(at, this.#size - at, true);
  }

  /** The header of every nfnetlink message. @param resource in host order; goes out in network order */
  nfgen(family: number, resource = 0): void {
    const at = this.#claim(NFGEN_BYTES);
    this.#bytes[at] = family;
    this.#view.setUint16(at + 2, resource);
  }

  /** A fixed header of zeros, such as an ifinfomsg that selects nothing. */
  zeros(length: number): void {
    this.#claim(aligned(length));
  }

  /** struct tcmsg, include/uapi/linux/rtnetlink.h: of traffic control. All in host order. */
  tc({
    index,
    handle,
    parent,
    info,
  }: Readonly<Record<'index' | 'handle' | 'parent' | 'info', number>>): void {
    const at = this.#claim(TCMSG_BYTES);
    for (const [word, value] of [index, handle, parent, info].entries()) {
      this.#view.setUint32(at + 4 + 4 * word, value, true);
    }
  }

  /** struct rtmsg, include/uapi/linux/rtnetlink.h: of routes. @param bits how many of the destination's are given */
  rt(family: 'inet' | 'inet6', bits: number): void {
    const at = this.#claim(RTMSG_BYTES);
    this.#bytes[at] = family === 'inet' ? AF_INET : AF_INET6;
    this.#bytes[at + 1] = bits;
  }

  openNest(type: number): void {
    const at = this.#claim(ALIGN);
    this.#view.setUint16(at + 2, type | NLA_F_NESTED, true);
    this.#opened.push(at);
  }

  /** Throws a RangeError when the nest is longer than an attribute can be (65535 bytes). */
  closeNest(): void {
    const at = this.#opened.pop() ?? 0;
    const length = this.#size - at;
    if (length > 0xffff) {
      throw new RangeError(`a netlink attribute of ${length} bytes; 65535 is the most it can hold`);
    }
    this.#view.setUint16(at, length, true);
  }

  byte(type: number, value: number): void {
    const at = this.#attribute(type, 1); // first: it may move the memory
    this.#bytes[at] = value;
  }

  /** 16 bits in host order. */
  host16(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    this.#view.setUint16(at, value, true);
  }

  /** 16 bits in network order. */
  net16(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    this.#view.setUint16(at, value);
  }

  /** 32 bits in network order. */
  net32(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#view.setUint32(at, value);
  }

  /** 64 bits in network order. @param value a safe integer, not negative */
  net64(type: number, value: number): void {
    const at = this.#attribute(type, 8);
    this.#view.setBigUint64(at, BigInt(value));
  }

  /** 32 bits in host order; an address word goes out in network order this way (see cluster/address.ts). */
  host32(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#view.setUint32(at, value, true);
  }

  ipv6(type: number, { first, second, third, fourth }: Ipv6Address): void {
    const at = this.#attribute(type, 16);
    this.#view.setInt32(at, first, true);
    this.#view.setInt32(at + 4, second, true);
    this.#view.setInt32(at + 8, third, true);
    this.#view.setInt32(at + 12, fourth, true);
  }

  /** Text with its closing zero, and more of them up to `length` bytes. */
  text(type: number, value: string, length = 0): void {
    const encoded = new TextEncoder().encode(value);
    const at = this.#attribute(type, Math.max(encoded.length + 1, length));
    this.#bytes.set(encoded, at);
  }

  bytes(type: number, value: readonly number[]): void {
    const at = this.#attribute(type, value.length);
    this.#bytes.set(value, at);
  }

  /** Room for one attribute's payload; its offset. */
  #attribute(type: number, length: number): number {
    const at = this.#claim(ALIGN + aligned(length));
    this.#view.setUint16(at, ALIGN + length, true);
    this.#view.setUint16(at + 2, type, true);
    return at + ALIGN;
  }

  /** Zeroed bytes at the end. */
  #claim(length: number): number {
    const at = this.#size;
    this.#size = at + length;
    if (this.#size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#size, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#bytes.fill(0, at, this.#size);
    return at;
  }
}
