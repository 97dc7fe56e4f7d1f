import { figuresOf } from '../quantiles.ts';
import type { Results } from './measure.ts';

/** The results as a text to be read: tables in Markdown. */
export const report = ({ environment, word, stock, outside }: Results): string => {
  const versions = Object.entries(environment).map(([name, value]) => `${name} ${value}`);
  return [
    `${versions.join(', ')}`,
    '',
    "From the manager's word to the buckets active in the kernel, milliseconds:",
    '',
    ...table(
      [
        'flows',
        'conntrack-ha',
        '',
        '',
        'while adopting',
        '',
        'stock way',
        '',
        '',
        'of it commit',
        'stock / ours',
      ],
      ['', 'n', 'median', 'p99', 'median', 'p99', 'n', 'median', 'p99', 'median', ''],
      word.map((ours) => [
        count(ours.flows),
        ...triple(ours.atRest),
        ...triple(ours.whileAdopting).slice(1),
        ...stockCells(ours, stock),
      ]),
    ),
    '',
    'Adopting afterwards:',
    '',
    ...table(
      [
        'flows',
        'n',
        'flows/s',
        'longest turn of the loop, ms',
        'its own work, ms',
        'in conntrackd afterwards',
      ],
      undefined,
      word.map(({ flows, adoptions }) => [
        count(flows),
        String(adoptions.length),
        count(Math.round(figuresOf(adoptions.map((one) => (one.flows * 1000) / one.milliseconds)).median)),
        figuresOf(adoptions.map(({ heldMs }) => heldMs)).worst.toFixed(1),
        figuresOf(adoptions.map(({ workMs }) => workMs)).worst.toFixed(1),
        count(Math.min(...adoptions.map(({ cached }) => cached))),
      ]),
    ),
    '',
    'Power cut to the first packet through the survivor, with keepalived, milliseconds:',
    '',
    ...table(['flows', 'n', 'median', 'p99'], undefined, [
      [count(outside.flows), ...triple(outside.silence)],
    ]),
  ].join('\n');
};

const stockCells = (ours: Results['word'][number], stock: Results['stock']): readonly string[] => {
  const beside = stock.find(({ flows }) => flows === ours.flows);
  if (beside === undefined) {
    return ['', '', '', '', ''];
  }
  const ratio = figuresOf(beside.whole).median / figuresOf(ours.atRest).median;
  return [
    ...triple(beside.whole),
    figuresOf(beside.commit).median.toFixed(0),
    `${ratio < 10 ? ratio.toFixed(1) : count(Math.round(ratio))}`,
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

const table = (
  head: readonly string[],
  second: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
): readonly string[] => {
  const all = [head, ...(second === undefined ? [] : [second]), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padStart(width)).join(' | ')} |`;
  const rule = `|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|`;
  return [line(head), rule, ...all.slice(1).map(line)];
};
