import { environmentLine, table } from '../table.ts';
import type { IdleResult, Results } from './measure.ts';

/** The results as a text to be read: a table in Markdown. */
export const report = ({ environment, load, seconds, programs }: Results): string =>
  [
    `${environmentLine(environment)}, load ${load.toFixed(1)}`,
    '',
    `What each program uses while nothing happens, over ${seconds} s:`,
    '',
    ...table(
      [
        'node',
        'program',
        'processes',
        'user, ms/s',
        'system, ms/s',
        '% of a core',
        'resident, MiB',
        'heap, MiB',
      ],
      programs.map(row),
    ),
  ].join('\n');

const row = (result: IdleResult): readonly string[] => [
  result.node,
  result.program,
  String(result.processes),
  result.userMs.toFixed(1),
  result.systemMs.toFixed(1),
  ((result.userMs + result.systemMs) / 10).toFixed(2),
  mebibytes(result.residentBytes),
  result.heapBytes === undefined ? '' : mebibytes(result.heapBytes),
];

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
