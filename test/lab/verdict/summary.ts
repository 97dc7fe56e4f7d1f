import type { FlowVerdict } from './ledger.ts';

/** When groups changed their owner: from the first sign to the end, Date.now(). */
export interface Transition {
  readonly from: number;
  readonly to: number;
}

/** After a transition, so many milliseconds don't count as steady. */
export const SETTLING = 2000;

export interface Summary {
  readonly flows: number;
  readonly lost: readonly FlowVerdict[];
  /** Packets that came twice outside transitions, and at all. */
  readonly twiceSteady: number;
  readonly twice: number;
  /** Milliseconds, over all flows. */
  readonly worstStall: number;
}

/** Adds the verdicts of all flows up. */
export const summarize = (
  verdicts: readonly FlowVerdict[],
  transitions: readonly Transition[] = [],
): Summary => ({
  flows: verdicts.length,
  lost: verdicts.filter(({ lost }) => lost),
  twiceSteady: sum(verdicts.map((verdict) => steadyTwice(verdict, transitions))),
  twice: sum(verdicts.map(({ twice }) => sum(twice.map(({ count }) => count)))),
  worstStall: Math.max(0, ...verdicts.map(({ worstStall }) => worstStall)),
});

/** Packets of a flow that came twice later than SETTLING after every transition before them. */
export const steadyTwice = (verdict: FlowVerdict, transitions: readonly Transition[]): number =>
  sum(
    verdict.twice
      .filter(({ at }) => !transitions.some(({ from, to }) => at >= from && at <= to + SETTLING))
      .map(({ count }) => count),
  );

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
