import { figuresOf } from '../quantiles.ts';
import { environmentLine, milliseconds, table } from '../table.ts';
import type { Results } from './measure.ts';

/** The results as a text to be read: a table in Markdown. */
export const report = ({ environment, load, groups, bursts }: Results): string => {
  const active = figuresOf(bursts.map(({ allActiveMs }) => allActiveMs));
  const held = figuresOf(bursts.map(({ heldMs }) => heldMs));
  return [
    `${environmentLine(environment)}, load ${load.toFixed(1)}`,
    '',
    'A word about each group at once, milliseconds:',
    '',
    ...table(
      ['groups', 'n', 'all active: median', 'worst', 'loop held: median', 'worst'],
      [
        [
          String(groups),
          String(active.count),
          ...[active.median, active.worst, held.median, held.worst].map(milliseconds),
        ],
      ],
    ),
  ].join('\n');
};
