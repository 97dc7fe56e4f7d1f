import { figuresOf } from '../quantiles.ts';
import { count, environmentLine, table } from '../table.ts';
import type { Results, Series, VerifyResult } from './measure.ts';

const PROGRAMS = ['owner agent', 'owner conntrackd', 'replica agent', 'replica conntrackd'] as const;

/** The results as a text to be read: tables in Markdown. */
export const report = ({ environment, load, series }: Results): string =>
  [
    `${environmentLine(environment)}, load ${load.toFixed(1)}`,
    '',
    'A replica compares its copies with the flows of their owner:',
    '',
    ...table(
      [
        'flows',
        'coming and going, 1/s',
        'n',
        's: median',
        'worst',
        'rounds: most',
        'stale removed: most',
        'missing at the end: most',
      ],
      series.map(timesRow),
    ),
    '',
    'Seconds of processor time, medians: in a comparison, and in as long a time before it:',
    '',
    ...table(['coming and going, 1/s', 'in', ...PROGRAMS], series.flatMap(costRows)),
    '',
    'Longest time between two turns of an event loop in it, milliseconds; by itself is without the time that others had:',
    '',
    ...table(
      [
        'coming and going, 1/s',
        'owner: median',
        'worst',
        'by itself',
        'replica: median',
        'worst',
        'by itself',
      ],
      series.map(heldRow),
    ),
  ].join('\n');

const timesRow = ({ flows, churn, results }: Series): readonly string[] => {
  const seconds = figuresOf(results.map(({ milliseconds }) => milliseconds / 1000));
  const most = (of: (result: VerifyResult) => number): string => count(Math.max(...results.map(of)));
  return [
    count(flows),
    count(churn),
    String(results.length),
    seconds.median.toFixed(2),
    seconds.worst.toFixed(2),
    most(({ rounds }) => rounds),
    most(({ removed }) => removed),
    most(({ missing = 0 }) => missing),
  ];
};

/** What is used anyway isn't taken off: a comparison and a round of refreshing wait for each other. */
const costRows = ({ churn, results }: Series): readonly (readonly string[])[] =>
  (['usedMs', 'anywayMs'] as const).map((time) => [
    count(churn),
    time === 'usedMs' ? 'a comparison' : 'the time before',
    ...PROGRAMS.map((program) =>
      (figuresOf(results.map((result) => result[time][program])).median / 1000).toFixed(2),
    ),
  ]);

const heldRow = ({ churn, results }: Series): readonly string[] => [
  count(churn),
  ...(['owner', 'replica'] as const).flatMap((side) => {
    const held = figuresOf(results.map((result) => result[side].heldMs));
    const own = figuresOf(results.map((result) => result[side].ownMs));
    return [held.median, held.worst, own.worst].map((value) => value.toFixed(1));
  }),
];
