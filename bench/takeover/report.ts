import { figuresOf } from '../quantiles.ts';
import { count, environmentLine, milliseconds, table } from '../table.ts';
import type { Results } from './measure.ts';

/** The results as a text to be read: tables in Markdown. */
export const report = ({ environment, word, stock, outside }: Results): string => {
  return [
    environmentLine(environment),
    '',
    "From the manager's word to the buckets active in the kernel, milliseconds:",
    '',
    ...table(
      [
        'flows',
        'n',
        'median',
        'p99',
        'stock way: n',
        'median',
        'p99',
        'of it commit',
        'ratio of medians',
        'of p99s',
      ],
      word.map((ours) => [count(ours.flows), ...triple(ours.atRest), ...besides(ours, stock)]),
    ),
    '',
    'Adopting afterwards, and a second word meanwhile:',
    '',
    ...table(
      ['flows', 'n', 'flows/s', 'loop held, ms', 'by itself, ms', 'then cached', 'word: n', 'median', 'p99'],
      word.map(({ flows, adoptions, whileAdopting }) => [
        count(flows),
        String(adoptions.length),
        count(Math.round(figuresOf(adoptions.map((one) => (one.flows * 1000) / one.milliseconds)).median)),
        figuresOf(adoptions.map(({ heldMs }) => heldMs)).worst.toFixed(1),
        figuresOf(adoptions.map(({ ownMs }) => ownMs)).worst.toFixed(1),
        count(Math.min(...adoptions.map(({ cached }) => cached))),
        ...triple(whileAdopting),
      ]),
    ),
    '',
    'Power cut to the first packet through the survivor, with keepalived, milliseconds:',
    '',
    ...table(['flows', 'n', 'median', 'p99'], [[count(outside.flows), ...triple(outside.silence)]]),
  ].join('\n');
};

const besides = (ours: Results['word'][number], stock: Results['stock']): readonly string[] => {
  const beside = stock.find(({ flows }) => flows === ours.flows);
  if (beside === undefined) {
    return [];
  }
  const [mine, other] = [figuresOf(ours.atRest), figuresOf(beside.whole)];
  return [
    ...triple(beside.whole),
    milliseconds(figuresOf(beside.commit).median),
    count(Math.round(other.median / mine.median)),
    count(Math.round(other.p99 / mine.p99)),
  ];
};

const triple = (values: readonly number[]): readonly string[] => {
  const { count: n, median, p99 } = figuresOf(values);
  return [String(n), milliseconds(median), milliseconds(p99)];
};
