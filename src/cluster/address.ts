/**
 * IPv4 addresses as the kernel's hash wants them. A *word* is the address's four bytes in network order read as a
 * little-endian 32-bit number: 10.0.0.1 is 0x0100000a.
 */

/** The word of a dotted address. Throws a RangeError if `text` is none. */
export const addressWord = (text: string): number => {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const bytes = match?.slice(1).map(Number) ?? [];
  const [first, second, third, fourth] = bytes;
  if (
    first === undefined ||
    second === undefined ||
    third === undefined ||
    fourth === undefined ||
    bytes.some((byte) => byte > 255)
  ) {
    throw new RangeError(`expected an IPv4 address such as 192.168.0.3, got "${text}"`);
  }
  return ((fourth << 24) | (third << 16) | (second << 8) | first) >>> 0;
};

/** The dotted text of a word. */
export const addressText = (word: number): string =>
  `${word & 255}.${(word >>> 8) & 255}.${(word >>> 16) & 255}.${word >>> 24}`;

/** A set of IPv4 addresses given by a prefix, in the byte order of words. */
export interface Network {
  readonly word: number;
  readonly mask: number;
}

/** Parses `192.168.0.0/24`. Host bits are ignored. Throws a RangeError if `cidr` is no prefix. */
export const parseNetwork = (cidr: string): Network => {
  const [address = '', length = ''] = cidr.split('/');
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : Number.NaN;
  if (!(prefix >= 0 && prefix <= 32)) {
    throw new RangeError(`expected a prefix such as 192.168.0.0/24, got "${cidr}"`);
  }
  const host = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
  const mask = swap(host);
  return { word: (addressWord(address) & mask) >>> 0, mask };
};

/** Whether the address of `word` is in any of `networks`. */
export const inNetworks = (word: number, networks: readonly Network[]): boolean =>
  networks.some((network) => (word & network.mask) >>> 0 === network.word);

const swap = (value: number): number =>
  (((value & 255) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
