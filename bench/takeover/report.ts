import { figuresOf } from '../quantiles.ts';
import type { Results } from './measure.ts';

/** The results as a text to be read: tables in Markdown. */
export const report = ({ environment, word, stock, outside }: Results): string => {
  return [
    Object.entries(environment)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
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

const milliseconds = (value: number): string =>
  value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : count(Math.round(value));

/** With spaces between thousands. */
const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padStart(width)).join(' | ')} |`;
  const rule = `|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|`;
  return [line(head), rule, ...rows.map(line)];
};
