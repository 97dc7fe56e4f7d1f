import type { Warning, WarningCode } from '../../cluster/warning.ts';

/** Something that the cluster needs of the machine and doesn't own, and whether it is there. What can't be judged now has none. */
export interface Judgement {
  readonly code: WarningCode;
  /** What it is of, so that there is one for each code: a device, a setting, a prefix. */
  readonly object: string;
  /** One sentence: what is missing, what becomes of packets, and how to mend it. Undefined: all is well. */
  readonly problem: string | undefined;
  /** What is said when a problem has ended. */
  readonly again: string;
}

/** A judgement that something is missing. */
export type Finding = Judgement & { readonly problem: string };

export const isFinding = (judgement: Judgement): judgement is Finding => judgement.problem !== undefined;

/** It as a warning. */
export const warned = ({ code, object, problem }: Finding): Warning => ({ code, object, text: problem });

/** The same for all judgements of the same thing. */
export const keyOf = ({ code, object }: Judgement): string => `${code} ${object}`;
