/**
 * The kernel's jhash of one IPv4 address and its scaling into buckets, as nft's `jhash ip saddr mod N seed S`
 * (net/netfilter/nft_hash.c) and xt_cluster (net/netfilter/xt_cluster.c) compute it on a little-endian machine.
 */

/** jhash's arbitrary initial parameter, include/linux/jhash.h. */
const JHASH_INITVAL = 0xdeadbeef;

/**
 * `reciprocal_scale(jhash(address, 4, seed), buckets)`.
 *
 * @param address the four bytes in network order read as one little-endian word, 32 bits unsigned: what the kernel
 *   sees when it loads a __be32 on a little-endian CPU (`addressWord` makes it from dotted text)
 * @param seed 32 bits unsigned
 * @param buckets from 1 to 2^21 (beyond, the product would leave the exact range of a double)
 * @returns a bucket from 0 to buckets - 1
 */
export const bucketOfWord = (address: number, seed: number, buckets: number): number =>
  Math.floor((jhashWord(address, seed) * buckets) / 0x1_0000_0000);

/**
 * jhash of one 32-bit word: `jhash_1word(word, seed)`, which equals `jhash(&word, 4, seed)` on a little-endian CPU.
 *
 * @returns 32 bits unsigned
 */
export const jhashWord = (word: number, seed: number): number => {
  const initial = (JHASH_INITVAL + 4 + seed) | 0;
  let a = (initial + word) | 0;
  let b = initial;
  let c = initial;
  // __jhash_final
  c = ((c ^ b) - rotateLeft(b, 14)) | 0;
  a = ((a ^ c) - rotateLeft(c, 11)) | 0;
  b = ((b ^ a) - rotateLeft(a, 25)) | 0;
  c = ((c ^ b) - rotateLeft(b, 16)) | 0;
  a = ((a ^ c) - rotateLeft(c, 4)) | 0;
  b = ((b ^ a) - rotateLeft(a, 14)) | 0;
  c = ((c ^ b) - rotateLeft(b, 24)) | 0;
  return c >>> 0;
};

const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
