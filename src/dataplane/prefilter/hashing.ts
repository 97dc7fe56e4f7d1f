import { JHASH_INITVAL, rotateLeft } from '../../cluster/hash.ts';
import type { Assembler } from '../../kernel/bpf-assembler.ts';

/** Words of the program's memory. */
const WORD = 0;
const A = 1;
const B = 2;
const C = 3;
const TURNED = 4;

/** What `bucketOf` of cluster/hash.ts computes, of the IPv4 address at `offset` of the frame: it is in the accumulator then. */
export const hashAddress = (
  program: Assembler,
  offset: number,
  { seed, buckets }: { readonly seed: number; readonly buckets: number },
): void => {
  loadWord(program, offset);
  const initial = (JHASH_INITVAL + 4 + seed) >>> 0;
  // __jhash_final with b = c = initial: its first step has no address in it.
  const c = (0 - rotateLeft(initial, 14)) >>> 0;
  program.by('add', initial);
  program.by('xor', c);
  program.by('sub', rotateLeft(c, 11));
  program.keep(A);
  program.value(initial);
  program.keep(B);
  program.value(c);
  program.keep(C);
  mix(program, B, A, 25);
  mix(program, C, B, 16);
  mix(program, A, C, 4);
  mix(program, B, A, 14);
  mix(program, C, B, 24);
  // reciprocal_scale() by a power of two.
  program.by('rsh', 32 - Math.log2(buckets));
};

/** Four bytes of the frame, the first as the lowest. */
const loadWord = (program: Assembler, offset: number): void => {
  program.load(offset, 4);
  program.keep(WORD);
  program.by('lsh', 24);
  program.toIndex();
  program.recall(WORD);
  program.by('and', 0xff00);
  program.by('lsh', 8);
  program.byIndex('or');
  program.toIndex();
  program.recall(WORD);
  program.by('rsh', 8);
  program.by('and', 0xff00);
  program.byIndex('or');
  program.toIndex();
  program.recall(WORD);
  program.by('rsh', 24);
  program.byIndex('or');
};

/** `one ^= other; one -= rol32(other, by)`; `one` is in the accumulator then. */
const mix = (program: Assembler, one: number, other: number, by: number): void => {
  program.recall(other);
  program.by('lsh', by);
  program.keep(TURNED);
  program.recall(other);
  program.by('rsh', 32 - by);
  program.recallIndex(TURNED);
  program.byIndex('or');
  program.keep(TURNED);
  program.recall(one);
  program.recallIndex(other);
  program.byIndex('xor');
  program.recallIndex(TURNED);
  program.byIndex('sub');
  program.keep(one);
};
