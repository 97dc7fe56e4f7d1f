import type { Instruction } from '../../src/kernel/bpf-assembler.ts';

/** Runs a program of classic BPF over a frame, as the kernel would (Documentation/networking/filter.rst). Returns what it returns. */
export const runBpf = (program: readonly Instruction[], frame: Buffer): number => {
  const memory = new Uint32Array(16);
  let a = 0;
  let x = 0;
  for (let at = 0; ; at += 1) {
    const instruction = program[at];
    if (instruction === undefined) throw new RangeError(`the program ends at ${at}`);
    const { code, jt, jf, k } = instruction;
    const kind = code & 0x07;
    const by = (code & 0x08) === 0 ? k : x;
    if (kind === 0x00 && (code & 0xe0) === 0x20) {
      const bytes = { 0: 4, 8: 2, 16: 1 }[code & 0x18] ?? 0;
      if (k + bytes > frame.length) return 0;
      a = frame.readUIntBE(k, bytes);
    } else if (code === 0x00) {
      a = k;
    } else if (code === 0x60) {
      a = memory[k] ?? 0;
    } else if (code === 0x61) {
      x = memory[k] ?? 0;
    } else if (code === 0x02) {
      memory[k] = a;
    } else if (code === 0x03) {
      memory[k] = x;
    } else if (kind === 0x04) {
      a = ALU[code & 0xf0]?.(a, by) ?? unknown(code);
      a = a >>> 0;
    } else if (code === 0x05) {
      at += k;
    } else if (kind === 0x05) {
      at += (JUMPS[code & 0xf0]?.(a, k) ?? unknown(code)) ? jt : jf;
    } else if (code === 0x06) {
      return k;
    } else if (code === 0x07) {
      x = a;
    } else {
      unknown(code);
    }
  }
};

const ALU: Readonly<Record<number, (a: number, by: number) => number>> = {
  0: (a, by) => a + by,
  16: (a, by) => a - by,
  32: (a, by) => Math.imul(a, by),
  48: (a, by) => Math.floor(a / by),
  64: (a, by) => a | by,
  80: (a, by) => a & by,
  96: (a, by) => a << by,
  112: (a, by) => a >>> by,
  160: (a, by) => a ^ by,
};

const JUMPS: Readonly<Record<number, (a: number, k: number) => boolean>> = {
  16: (a, k) => a === k,
  32: (a, k) => a > k,
  48: (a, k) => a >= k,
  64: (a, k) => (a & k) !== 0,
};

const unknown = (code: number): never => {
  throw new RangeError(`no such instruction: 0x${code.toString(16)}`);
};
