import { createInterface } from 'node:readline';

/** Calls `take` with the value of every line that comes on standard input, and `end` when it closes. */
export const readCommands = <T>(take: (value: T) => void, end: () => void): void => {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const value: T = JSON.parse(line);
    take(value);
  });
  lines.on('close', end);
};

/** Writes a value as one line of standard output. */
export const say = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};
