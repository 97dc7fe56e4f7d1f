import { type Logger, pino } from 'pino';
import type { ClusterConfig } from '../config/types.ts';

export type { Logger } from 'pino';

/**
 * The agent's log on standard output, or where `stream` leads: one line an event. `text` is for people and for journald (which adds the time);
 * `json` is pino's own. `auto`: text.
 */
export const openLog = (
  config: Pick<ClusterConfig, 'log'>,
  node: string,
  stream: NodeJS.WriteStream = process.stdout,
): Logger => {
  const options = { level: config.log.level, base: { node } };
  return config.log.format === 'json'
    ? pino(options, stream)
    : pino(options, { write: (line: string) => stream.write(`${textOf(line)}\n`) });
};

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug: ', 30: '', 40: 'warning: ', 50: 'error: ' };

const textOf = (line: string): string => {
  const { level, time, node, msg }: { level: number; time: number; node: string; msg: string } =
    JSON.parse(line);
  const clock = process.env['JOURNAL_STREAM'] ? '' : `${new Date(time).toISOString()} `;
  return `${clock}${LEVELS[level] ?? ''}${node}: ${msg}`;
};
