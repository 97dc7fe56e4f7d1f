/** A word of four bytes, as a machine of the other byte order reads it. 32 bits unsigned. */
export const swapped = (word: number): number =>
  (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
