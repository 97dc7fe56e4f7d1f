import ipaddr from 'ipaddr.js';

/**
 * Addresses as the kernel's hash wants them. A *word* is four bytes in network order read as a little-endian 32-bit number.
 * An IPv4 address is one word, unsigned: 10.0.0.1 is 0x0100000a.
 */
export type Address = number | Ipv6Address;

/**
 * Four words. Signed: half of the unsigned ones are too large for V8 to keep in the object itself, and a dump holds
 * millions of them.
 */
export interface Ipv6Address {
  readonly first: number;
  readonly second: number;
  readonly third: number;
  readonly fourth: number;
}

export type Family = 4 | 6;

/** Parses an IPv4 or an IPv6 address. Throws a RangeError if `text` is none, or has a zone (`fe80::1%eth0`). */
export const parseAddress = (text: string): Address => {
  const address = familyOfText(text) === 4 ? wordOf(text) : ipv6Of(text);
  if (address === undefined) {
    throw new RangeError(`expected an address such as 192.168.0.3 or fd00::3, got "${text}"`);
  }
  return address;
};

/** The word of a dotted address. Throws a RangeError if `text` is none. */
export const addressWord = (text: string): number => {
  const word = wordOf(text);
  if (word === undefined) {
    throw new RangeError(`expected an IPv4 address such as 192.168.0.3, got "${text}"`);
  }
  return word;
};

/** Dotted, or IPv6 as RFC 5952 wants it, which is in hexadecimal only: conntrackd can't read the mixed form. */
export const addressText = (address: Address): string =>
  typeof address === 'number'
    ? `${address & 255}.${(address >>> 8) & 255}.${(address >>> 16) & 255}.${address >>> 24}`
    : new ipaddr.IPv6(bytesOf(address)).toRFC5952String();

export const familyOf = (address: Address): Family => (typeof address === 'number' ? 4 : 6);

/** Which family an address or a prefix is of, if it is one. */
export const familyOfText = (text: string): Family => (text.includes(':') ? 6 : 4);

/** Two objects may be one address: `===` says nothing. */
export const isSameAddress = (one: Address, other: Address): boolean =>
  one === other || (typeof one !== 'number' && typeof other !== 'number' && isSame(one, other));

/** Whether it never leaves the machine, or the link: 127.0.0.0/8, ::1, fe80::/10. */
export const isConfined = (address: Address): boolean =>
  typeof address === 'number'
    ? (address & 255) === 127
    : (address.first & 0xc0ff) === 0x80fe ||
      (address.fourth === 0x0100_0000 && address.first === 0 && address.second === 0 && address.third === 0);

/** A set of addresses given by a prefix. */
export type Network = { readonly prefix: number } & (
  | { readonly family: 4; readonly address: number; readonly mask: number }
  | { readonly family: 6; readonly address: Ipv6Address; readonly mask: Ipv6Address }
);

/** Parses `192.168.0.0/24` or `fd00:1::/64`. Host bits are ignored. Throws a RangeError if `cidr` is no prefix. */
export const parseNetwork = (cidr: string): Network => {
  const [text = '', length = '', ...more] = cidr.split('/');
  const family = familyOfText(text);
  const prefix = /^\d{1,3}$/.test(length) && more.length === 0 ? Number(length) : Number.NaN;
  if (!(prefix >= 0 && prefix <= (family === 4 ? 32 : 128))) {
    throw new RangeError(`expected a prefix such as 192.168.0.0/24 or fd00:1::/64, got "${cidr}"`);
  }
  const address = parseAddress(text);
  const mask = ipv6From(Array.from({ length: 16 }, (_, index) => maskByte(prefix - 8 * index)));
  return typeof address === 'number'
    ? { prefix, family: 4, address: (address & mask.first) >>> 0, mask: mask.first }
    : { prefix, family: 6, address: masked(address, mask), mask };
};

/** A prefix that holds this address alone. */
export const singleNetwork = (address: string): Network =>
  parseNetwork(`${address}/${familyOfText(address) === 4 ? 32 : 128}`);

/** Whether the address is in any of `networks`. */
export const inNetworks = (address: Address, networks: readonly Network[]): boolean => {
  for (const network of networks) {
    if (inNetwork(address, network)) {
      return true;
    }
  }
  return false;
};

/** Whether `outer` holds all of `inner`. */
export const isWithin = (inner: Network, outer: Network): boolean =>
  inner.prefix >= outer.prefix && inNetwork(inner.address, outer);

const inNetwork = (address: Address, network: Network): boolean =>
  typeof address === 'number'
    ? network.family === 4 && (address & network.mask) >>> 0 === network.address
    : network.family === 6 &&
      (address.first & network.mask.first) === network.address.first &&
      (address.second & network.mask.second) === network.address.second &&
      (address.third & network.mask.third) === network.address.third &&
      (address.fourth & network.mask.fourth) === network.address.fourth;

const isSame = (one: Ipv6Address, other: Ipv6Address): boolean =>
  one.fourth === other.fourth &&
  one.third === other.third &&
  one.second === other.second &&
  one.first === other.first;

const masked = (address: Ipv6Address, mask: Ipv6Address): Ipv6Address => ({
  first: address.first & mask.first,
  second: address.second & mask.second,
  third: address.third & mask.third,
  fourth: address.fourth & mask.fourth,
});

const wordOf = (text: string): number | undefined => {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number) ?? [];
  const [first, second, third, fourth] = bytes;
  return first === undefined ||
    second === undefined ||
    third === undefined ||
    fourth === undefined ||
    bytes.some((byte) => byte > 255)
    ? undefined
    : ((fourth << 24) | (third << 16) | (second << 8) | first) >>> 0;
};

const ipv6Of = (text: string): Ipv6Address | undefined =>
  ipaddr.IPv6.isValid(text) && !text.includes('%')
    ? ipv6From(ipaddr.IPv6.parse(text).toByteArray())
    : undefined;

/** The byte of a mask in which `bits` bits of the prefix are left. */
const maskByte = (bits: number): number => (0xff00 >>> Math.min(Math.max(bits, 0), 8)) & 255;

const ipv6From = (bytes: readonly number[]): Ipv6Address => {
  const view = new DataView(Uint8Array.from(bytes).buffer);
  return {
    first: view.getInt32(0, true),
    second: view.getInt32(4, true),
    third: view.getInt32(8, true),
    fourth: view.getInt32(12, true),
  };
};

const bytesOf = ({ first, second, third, fourth }: Ipv6Address): number[] =>
  [first, second, third, fourth].flatMap((word) => [
    word & 255,
    (word >>> 8) & 255,
    (word >>> 16) & 255,
    word >>> 24,
  ]);
