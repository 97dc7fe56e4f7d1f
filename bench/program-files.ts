import { fileURLToPath } from 'node:url';
import { bundle } from '../scripts/bundle.ts';

const NAMES = ['agent', 'arrivals', 'churn', 'fill', 'idle-agent', 'manager', 'set-watch', 'stream'] as const;

/** The bench's own programs that run inside machines of the lab. */
export type ProgramName = (typeof NAMES)[number];

/** Among the built files, from where the native library is found. */
export const programFile = (name: ProgramName): string =>
  fileURLToPath(new URL(`../dist/bench/${name}.js`, import.meta.url));

export const buildPrograms = async (): Promise<void> => {
  await Promise.all(NAMES.map((name) => bundle(`bench/programs/${name}.ts`, programFile(name))));
};
