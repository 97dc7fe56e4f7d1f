import { count, environmentLine, table } from '../table.ts';
import type { RefreshResult, Results } from './measure.ts';

/** The kernel's timeouts give ten rounds a minute (src/cluster/refresh.ts). */
const ROUNDS_A_MINUTE = 10;

/** The results as a text to be read: a table in Markdown. */
export const report = ({ environment, load, seconds, results }: Results): string =>
  [
    `${environmentLine(environment)}, load ${load.toFixed(1)}`,
    '',
    `What each program uses so that copies don't expire, over ${seconds} s; the last two without what it uses anyway:`,
    '',
    ...table(
      ['node', 'program', 'flows', 'touched in a round', '% of a core', 's a minute', 'ms a round'],
      results.map((result) => row(result, withoutFlows(results, result))),
    ),
  ].join('\n');

const withoutFlows = (results: readonly RefreshResult[], { node, program }: RefreshResult): number =>
  results.find((each) => each.flows === 0 && each.node === node && each.program === program)?.busyMs ?? 0;

const row = (result: RefreshResult, anyway: number): readonly string[] => {
  const minute = ((result.busyMs - anyway) * 60) / 1000;
  return [
    result.node,
    result.program,
    count(result.flows),
    result.touched,
    (result.busyMs / 10).toFixed(1),
    ...(result.flows === 0 ? ['', ''] : [minute.toFixed(2), ((minute * 1000) / ROUNDS_A_MINUTE).toFixed(0)]),
  ];
};
