import { type Warning, warningText } from '../cluster/warning.ts';
import type { Part } from './parts.ts';

/** What fails for less than that may be in the middle of another program's changes: nothing is given up for it, nor said. Milliseconds. */
export const SPARED_MS = 500;
/** Between two attempts at what has failed for longer. */
const RETRY_MS = 500;

interface Failure {
  readonly part: Part | undefined;
  readonly since: number;
  readonly triedAt: number;
  readonly text: string;
}

/** What is missing and couldn't be put back, until it is. Times are performance.now(). */
export class PartFailures {
  readonly #failures = new Map<string, Failure>();
  readonly #warn: (text: string) => void;
  #warnings: readonly Warning[] = [];

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** Those that have lasted, as they were said last. */
  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** All of now, whether they last or not. */
  get texts(): readonly string[] {
    return [...this.#failures.values()].map(({ text }) => text);
  }

  /** The parts that are missing. */
  get parts(): readonly Part[] {
    return [...this.#failures.values()].flatMap(({ part }) => (part === undefined ? [] : [part]));
  }

  has(key: string): boolean {
    return this.#failures.has(key);
  }

  note(key: string, part: Part | undefined, text: string, now: number): void {
    this.#failures.set(key, { part, text, triedAt: now, since: this.#failures.get(key)?.since ?? now });
  }

  /** It is there, or no longer wanted. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Whether another attempt is due: at each look at first, and then twice a second. */
  isDue(key: string, now: number): boolean {
    const failure = this.#failures.get(key);
    return failure === undefined || !isLasting(failure, now) || now - failure.triedAt >= RETRY_MS;
  }

  /** Says what has lasted, once for each new reason. */
  say(now: number): void {
    const known = this.#warnings.map(({ text }) => text);
    const warnings = [...this.#failures]
      .filter(([, failure]) => isLasting(failure, now))
      .map(([object, { text }]): Warning => ({ code: 'not-mended', object, text }));
    for (const one of warnings.filter(({ text }) => !known.includes(text))) this.#warn(warningText(one));
    this.#warnings = warnings;
  }
}

const isLasting = ({ since }: Failure, now: number): boolean => now - since >= SPARED_MS;
