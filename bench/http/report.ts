import { figuresOf } from '../quantiles.ts';
import { count, environmentLine, table } from '../table.ts';
import type { Results, Span } from './measure.ts';

/** The results as a text to be read: a table in Markdown. */
export const report = ({ environment, load, setups }: Results): string =>
  [
    `${environmentLine(environment)}, load ${load.toFixed(1)}`,
    '',
    'Requests for an object of 0 bytes, each on a connection of its own, by two clients; medians:',
    '',
    ...table(
      [
        '',
        'n',
        'requests/s',
        'failed, all',
        ...['fw1', 'fw2'].flatMap((node) => [`${node}: packets a request`, 'forwarding, µs a request']),
        'so requests/s, at most',
      ],
      setups.map(({ name, spans }) => row(name, spans)),
    ),
  ].join('\n');

const row = (name: string, spans: readonly Span[]): readonly string[] => {
  const median = (of: (span: Span) => number): number => figuresOf(spans.map(of)).median;
  const nodes = ['fw1', 'fw2'].flatMap((node) => {
    const part = (span: Span) => span.nodes.find((one) => one.name === node);
    if (spans.some((span) => part(span) === undefined)) {
      return ['', ''];
    }
    return [
      median((span) => (part(span)?.packets ?? 0) / span.requests).toFixed(1),
      median((span) => ((part(span)?.forwarding ?? 0) * 1e6) / span.requests).toFixed(1),
    ];
  });
  // The node that has most to do for each request is the first that can't do more.
  const most = median((span) => Math.max(...span.nodes.map(({ forwarding }) => forwarding)) / span.requests);
  return [
    name,
    String(spans.length),
    count(Math.round(median((span) => span.requests / span.seconds))),
    String(spans.reduce((sum, { failed }) => sum + failed, 0)),
    ...nodes,
    count(Math.round(1 / most)),
  ];
};
