import * as z from 'zod';
import { show } from './complaint.ts';
import { nearest } from './spelling.ts';

/** Why a value is refused, and what to write instead if that is more than the leaf's own mend. */
export class Refusal {
  readonly problem: string;
  readonly mend: string | undefined;

  constructor(problem: string, mend?: string) {
    this.problem = problem;
    this.mend = mend;
  }
}

/** A zod schema of one value: `read` gives the value or why it is none; `mend` says what would be right. */
export const leaf = <Value>(mend: string, read: (input: unknown) => Value | Refusal) =>
  z.unknown().transform((input, context): Value => {
    const value = absence(input) ?? read(input);
    if (!(value instanceof Refusal)) {
      return value;
    }
    context.addIssue({ code: 'custom', params: { problem: value.problem, mend: value.mend ?? mend } });
    return z.NEVER;
  });

/** A leaf whose value is a text. */
export const textLeaf = <Value>(mend: string, read: (input: string) => Value | Refusal) =>
  leaf(mend, (input) =>
    typeof input === 'string' ? read(input) : new Refusal(`${show(input)} is not a text`),
  );

/** A whole number within bounds, the bounds included. */
export const wholeNumber = (what: string, least: number, most: number) =>
  leaf(`use a whole number from ${least} to ${most}`, (input) =>
    typeof input === 'number' && Number.isInteger(input) && input >= least && input <= most
      ? input
      : new Refusal(`${show(input)} is not ${what}`),
  );

/** Yes or no. */
export const truth = leaf('use true or false', (input) =>
  typeof input === 'boolean' ? input : new Refusal(`${show(input)} is neither true nor false`),
);

/**
 * One of a few words. `later` are those that the design knows but this version doesn't do, each with the reason; `meant`
 * are other words for some of them.
 */
export const choice = <Word extends string>(
  words: readonly Word[],
  later: Readonly<Record<string, string>> = {},
  meant: Readonly<Record<string, Word>> = {},
) =>
  leaf(`use ${listed(words)}`, (input) => {
    const word = words.find((candidate) => candidate === input);
    if (word !== undefined) {
      return word;
    }
    const reason = typeof input === 'string' ? ownValue(later, input) : undefined;
    if (reason !== undefined) {
      return new Refusal(`${show(input)} is not supported yet: ${reason}`);
    }
    const near = typeof input === 'string' ? (ownValue(meant, input) ?? nearest(input, words)) : undefined;
    return new Refusal(
      `${show(input)} is not known here`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  });

const ownValue = <Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** `a`, `a or b`, `a, b or c` */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

const absence = (input: unknown): Refusal | undefined => {
  if (input === undefined) {
    return new Refusal('is missing');
  }
  return input === null ? new Refusal('is empty') : undefined;
};
