import type { Arrivals } from '../programs/arrivals.ts';
import { figuresOf } from '../quantiles.ts';
import { count, environmentLine, milliseconds, table } from '../table.ts';
import type { Handover, Handovers } from './handovers.ts';
import type { Results } from './measure.ts';
import type { Steps } from './product.ts';

/** The results as a text to be read: tables in Markdown. */
export const report = ({ environment, load, replicas, flows, product, clone }: Results): string =>
  [
    `${environmentLine(environment)}, load ${load.toFixed(1)}`,
    '',
    `A hand-back as a flow of one datagram a millisecond sees it beside ${count(flows)} others, replicas: ${replicas}, milliseconds:`,
    '',
    ...table(
      [
        '',
        'n',
        'gap: median',
        'worst',
        'datagrams lost: median',
        'most',
        'longest silence: median',
        'worst',
        'no owner: median',
        'worst',
      ],
      [
        ...handoverRows('keepalived', product.keepalived),
        ...handoverRows('Pacemaker', product.pacemaker),
        ...handoverRows('plain clone', clone),
      ],
    ),
    ...stepTable('keepalived', product.keepalived?.steps),
    ...stepTable('Pacemaker', product.pacemaker?.steps),
  ].join('\n');

const handoverRows = (name: string, measured: Handovers | undefined): readonly (readonly string[])[] =>
  measured === undefined
    ? []
    : [
        handoverRow(`${name}: back to its home`, measured.back),
        handoverRow('away from it', measured.away),
        arrivalsRow('nothing handed over', measured.rest),
      ];

const stepTable = (name: string, steps: Steps | undefined): readonly string[] =>
  steps === undefined
    ? []
    : [
        '',
        `Where the time of the way back goes with ${name}, milliseconds:`,
        '',
        ...table(
          ['', 'median', 'worst'],
          STEPS.filter(([key]) => steps[key].length > 0).map(([key, what]) => [what, ...pair(steps[key])]),
        ),
      ];

const STEPS: readonly (readonly [keyof Steps, string])[] = [
  ['askedToOpen', 'home: from its word to its being open'],
  ['hold', 'backup: until no flow is touched any more'],
  ['close', 'backup: closes its kernel'],
  ['send', 'backup: its last states leave'],
  ['answer', 'backup: answers'],
  ['commit', 'home: from its word to the end of its commit'],
];

const handoverRow = (name: string, handovers: readonly Handover[]): readonly string[] => [
  ...arrivalsRow(name, handovers),
  ...pair(handovers.map(({ closedMs }) => closedMs)),
];

const arrivalsRow = (name: string, all: readonly Arrivals[]): readonly string[] => {
  const lost = figuresOf(all.map((each) => each.lost));
  return [
    name,
    String(all.length),
    ...pair(all.map(({ lostMs }) => lostMs)),
    String(lost.median),
    String(lost.worst),
    ...pair(all.map(({ longestMs }) => longestMs)),
  ];
};

const pair = (values: readonly number[]): readonly string[] => {
  const { median, worst } = figuresOf(values);
  return [milliseconds(median), milliseconds(worst)];
};
