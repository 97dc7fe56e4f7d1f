/**
 * Classic BPF, Documentation/networking/filter.rst: an accumulator, an index register and sixteen words of memory, all of 32
 * bits. Jumps go forward only, conditional ones by 255 instructions at most.
 */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** A place to jump to. */
export type Label = string;

/** How an accumulator is compared with a number, unsigned. */
export type Comparison = 'equal' | 'atLeast' | 'anyBit';

/** What an accumulator is changed by. */
export type Operation = 'add' | 'sub' | 'mul' | 'div' | 'or' | 'and' | 'lsh' | 'rsh' | 'xor';

/** As many instructions as the kernel takes, include/uapi/linux/bpf_common.h. */
export const LONGEST = 4096;

const LD = 0x00;
const LDX = 0x01;
const ST = 0x02;
const ALU = 0x04;
const JMP = 0x05;
const RET = 0x06;
const MISC = 0x07;
const WORD = 0x00;
const HALF = 0x08;
const BYTE = 0x10;
const IMM = 0x00;
const ABS = 0x20;
const MEM = 0x60;
const X = 0x08;
const TAX = 0x00;
const SIZES = { 1: BYTE, 2: HALF, 4: WORD } as const;
const OPERATIONS: Readonly<Record<Operation, number>> = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  xor: 0xa0,
};
const COMPARISONS: Readonly<Record<Comparison, number>> = {
  equal: 0x10,
  atLeast: 0x30,
  anyBit: 0x40,
};

type Part = Instruction & {
  readonly to?: readonly [Label | undefined, Label | undefined];
  readonly far?: Label;
};

/** Puts a program together. Labels may be used before they are placed, and must be placed once. */
export class Assembler {
  readonly #parts: Part[] = [];
  readonly #labels = new Map<Label, number>();
  #made = 0;

  /** Loads 1, 2 or 4 bytes of the frame, in network order. Beyond its end the program returns 0. */
  load(offset: number, bytes: keyof typeof SIZES): void {
    this.#add(LD | SIZES[bytes] | ABS, offset);
  }

  value(k: number): void {
    this.#add(LD | IMM, k);
  }

  recall(slot: number): void {
    this.#add(LD | MEM, slot);
  }

  recallIndex(slot: number): void {
    this.#add(LDX | MEM, slot);
  }

  keep(slot: number): void {
    this.#add(ST, slot);
  }

  /** The index register becomes what the accumulator is. */
  toIndex(): void {
    this.#add(MISC | TAX, 0);
  }

  /** The accumulator is changed by a number. */
  by(operation: Operation, k: number): void {
    this.#add(ALU | OPERATIONS[operation], k);
  }

  byIndex(operation: Operation): void {
    this.#add(ALU | OPERATIONS[operation] | X, 0);
  }

  /** Goes on at one of two labels; undefined: with what follows. */
  jump(comparison: Comparison, k: number, then: Label | undefined, otherwise?: Label): void {
    this.#parts.push({
      code: JMP | COMPARISONS[comparison],
      jt: 0,
      jf: 0,
      k: k >>> 0,
      to: [then, otherwise],
    });
  }

  /** However far it is. */
  goTo(label: Label): void {
    this.#parts.push({ code: JMP, jt: 0, jf: 0, k: 0, far: label });
  }

  finish(k: number): void {
    this.#add(RET, k);
  }

  place(label: Label): void {
    if (this.#labels.has(label)) throw new RangeError(`there are two labels ${label}`);
    this.#labels.set(label, this.#parts.length);
  }

  /** A label that nobody else has. */
  label(): Label {
    this.#made += 1;
    return `#${this.#made}`;
  }

  /** @throws RangeError for a jump that is too far, or backwards, and for a program that is too long */
  assemble(): readonly Instruction[] {
    if (this.#parts.length > LONGEST) {
      throw new RangeError(`a program of ${this.#parts.length} instructions; the kernel takes ${LONGEST}`);
    }
    return this.#parts.map(({ code, jt, jf, k, to, far }, at) => ({
      code,
      jt: to === undefined ? jt : this.#distance(at, to[0], 255),
      jf: to === undefined ? jf : this.#distance(at, to[1], 255),
      k: far === undefined ? k : this.#distance(at, far, LONGEST),
    }));
  }

  #add(code: number, k: number): void {
    this.#parts.push({ code, jt: 0, jf: 0, k: k >>> 0 });
  }

  #distance(at: number, label: Label | undefined, most: number): number {
    if (label === undefined) return 0;
    const distance = (this.#labels.get(label) ?? Number.NaN) - at - 1;
    if (!(distance >= 0 && distance <= most)) {
      throw new RangeError(`a jump to ${label} by ${distance} instructions`);
    }
    return distance;
  }
}
