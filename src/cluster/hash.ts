import type { Address, Ipv6Address } from './address.ts';

/**
 * The kernel's jhash of one address and its scaling into buckets, as nft's `jhash ip saddr mod N seed S`, and `ip6 saddr`
 * and `@th,X,128` alike (net/netfilter/nft_hash.c), and xt_cluster (net/netfilter/xt_cluster.c; IPv4 only here) compute it
 * on a little-endian machine.
 */

/** jhash's arbitrary initial parameter, include/linux/jhash.h. */
export const JHASH_INITVAL = 0xdeadbeef;

/**
 * `reciprocal_scale(jhash(address, 4 or 16, seed), buckets)`.
 *
 * @param seed 32 bits unsigned
 * @param buckets from 1 to 2^21 (beyond, the product would leave the exact range of a double)
 * @returns a bucket from 0 to buckets - 1
 */
export const bucketOf = (address: Address, seed: number, buckets: number): number =>
  Math.floor((jhashAddress(address, seed) * buckets) / 0x1_0000_0000);

/**
 * jhash of the 4 or 16 bytes of an address in network order.
 *
 * @returns 32 bits unsigned
 */
export const jhashAddress = (address: Address, seed: number): number =>
  typeof address === 'number' ? jhashWord(address, seed) : jhashIpv6(address, seed);

/**
 * jhash of one 32-bit word: `jhash_1word(word, seed)`, which equals `jhash(&word, 4, seed)` on a little-endian CPU.
 *
 * @param word 32 bits; of an address, what the kernel sees when it loads a __be32 on a little-endian CPU
 * @returns 32 bits unsigned
 */
export const jhashWord = (word: number, seed: number): number => {
  const initial = (JHASH_INITVAL + 4 + seed) | 0;
  return finish((initial + word) | 0, initial, initial);
};

/** `jhash(&address, 16, seed)`: three words are mixed, and the fourth is the rest. */
const jhashIpv6 = ({ first, second, third, fourth }: Ipv6Address, seed: number): number => {
  const initial = (JHASH_INITVAL + 16 + seed) | 0;
  let a = (initial + first) | 0;
  let b = (initial + second) | 0;
  let c = (initial + third) | 0;
  // __jhash_mix
  a = (a - c) ^ rotateLeft(c, 4);
  c = (c + b) | 0;
  b = (b - a) ^ rotateLeft(a, 6);
  a = (a + c) | 0;
  c = (c - b) ^ rotateLeft(b, 8);
  b = (b + a) | 0;
  a = (a - c) ^ rotateLeft(c, 16);
  c = (c + b) | 0;
  b = (b - a) ^ rotateLeft(a, 19);
  a = (a + c) | 0;
  c = (c - b) ^ rotateLeft(b, 4);
  b = (b + a) | 0;
  return finish((a + fourth) | 0, b, c);
};

/** __jhash_final. */
const finish = (first: number, second: number, third: number): number => {
  let a = first;
  let b = second;
  let c = third;
  c = ((c ^ b) - rotateLeft(b, 14)) | 0;
  a = ((a ^ c) - rotateLeft(c, 11)) | 0;
  b = ((b ^ a) - rotateLeft(a, 25)) | 0;
  c = ((c ^ b) - rotateLeft(b, 16)) | 0;
  a = ((a ^ c) - rotateLeft(c, 4)) | 0;
  b = ((b ^ a) - rotateLeft(a, 14)) | 0;
  c = ((c ^ b) - rotateLeft(b, 24)) | 0;
  return c >>> 0;
};

/** rol32(). @returns 32 bits signed */
export const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
