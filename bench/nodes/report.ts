import { figuresOf } from '../quantiles.ts';
import { environmentLine, milliseconds, table } from '../table.ts';
import type { NodesResult, Results } from './measure.ts';

/** The results as a text to be read: a table in Markdown. */
export const report = ({ environment, clusters }: Results): string =>
  [
    environmentLine(environment),
    '',
    'One node loses its power and returns; milliseconds:',
    '',
    ...table(
      [
        'nodes',
        'groups',
        'n',
        'taken over: median',
        'worst',
        'home again: median',
        'worst',
        'its buckets went to the others',
      ],
      clusters.map(row),
    ),
  ].join('\n');

const row = ({ nodes, takenOver, homeAgain, shares }: NodesResult): readonly string[] => {
  const taken = figuresOf(takenOver);
  const home = figuresOf(homeAgain);
  return [
    String(nodes),
    String(nodes * (nodes - 1)),
    String(taken.count),
    milliseconds(taken.median),
    milliseconds(taken.worst),
    milliseconds(home.median),
    milliseconds(home.worst),
    shares.join(', '),
  ];
};
