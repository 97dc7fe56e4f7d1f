/** A prime, so that a piece that is out of place by a power of two doesn't look right. */
const PERIOD = 65_521;

const LONGEST = 1 << 20;

const pattern = Buffer.alloc(PERIOD + LONGEST);
for (let index = 0; index < pattern.length; index += 1) {
  pattern[index] = ((index % PERIOD) * 167 + ((index % PERIOD) >>> 8)) & 255;
}

/** What stands from `position` in the endless stream that a bulk transfer sends; at most 1 MiB. */
export const patternAt = (position: number, length: number): Buffer => {
  const start = position % PERIOD;
  return pattern.subarray(start, start + Math.min(length, LONGEST));
};
