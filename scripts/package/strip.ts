import { ProgramError, run } from '../../src/system/run.ts';
import type { Architecture } from './node-runtime.ts';

const STRIP_MS = 120_000;

/** Debian's names of binutils, by whose processor they are for. */
const STRIP: Readonly<Record<Architecture, string>> = {
  amd64: 'x86_64-linux-gnu-strip',
  arm64: 'aarch64-linux-gnu-strip',
};

/** Takes the symbols that nobody needs out of a program or library: a quarter of Node.js. Without binutils it stays as it is, which is said. */
export const stripped = async (file: string, architecture: Architecture): Promise<void> => {
  try {
    await run(STRIP[architecture], ['--strip-unneeded', file], { timeout: STRIP_MS });
  } catch (error) {
    if (!(error instanceof ProgramError) || error.failure !== 'missing') throw error;
    console.warn(
      `package: ${STRIP[architecture]} is missing, so ${file} keeps its symbols; install binutils`,
    );
  }
};
