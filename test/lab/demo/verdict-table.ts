import type { FlowVerdict } from '../verdict/ledger.ts';
import { steadyTwice, summarize, type Transition } from '../verdict/summary.ts';
import { alignLeft, alignRight, count, duration } from './text.ts';

/** A transition with a name for people: `fw1 loses power, fw2 takes over`. */
export interface NamedTransition extends Transition {
  readonly name: string;
}

/** The final table, and the sums that the exit status depends on. */
export const renderVerdict = (
  verdicts: readonly FlowVerdict[],
  transitions: readonly NamedTransition[],
): string[] => {
  const total = summarize(verdicts, transitions);
  return [
    'FLOW              ANSWERED  WORST STALL  TWICE (STEADY)  VERDICT',
    ...verdicts.map((verdict) => row(verdict, transitions)),
    '',
    ...transitions.map(
      ({ name, from, to }) => `${alignLeft(name, 60)} ${alignRight(duration(to - from), 8)}`,
    ),
    '',
    `flows lost: ${total.lost.length} of ${total.flows}`,
    `packets twice in steady state: ${total.twiceSteady} (in transitions: ${total.twice - total.twiceSteady})`,
    `worst stall: ${duration(total.worstStall)}`,
  ];
};

const row = (verdict: FlowVerdict, transitions: readonly Transition[]): string => {
  const twice = verdict.twice.reduce((sum, each) => sum + each.count, 0);
  const cells = [
    alignLeft(verdict.id, 16),
    alignRight(count(verdict.answered), 10),
    alignRight(duration(verdict.worstStall), 13),
    alignRight(`${twice} (${steadyTwice(verdict, transitions)})`, 16),
    `  ${verdict.lost ? `LOST: ${verdict.reason}` : survived(verdict)}`,
  ];
  return cells.join('');
};

const survived = ({ slow }: FlowVerdict): string => (slow > 0 ? `kept (${slow} new ones slow)` : 'kept');
