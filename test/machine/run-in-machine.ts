import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianMachine, RELEASES } from './debian-machine.ts';
import { bootMachine } from './emulator.ts';
import { treeImage } from './tree-image.ts';

/** Two hours: what runs longer hangs. */
const LIMIT = 7_200_000;
/** What runs in a machine when nothing is named. */
const ALL = ['legs', 'demo', 'kernel', 'crossing'];

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * `npm test machine -- RELEASE [PART|FILE...]`: boots a machine with that Debian and its kernel, and runs these tests in it; shows its
 * console. It and its disk are gone afterwards.
 * @throws Error if the release is unknown, or the machine ends without a result.
 */
export const runInMachine = async ([name, ...words]: readonly string[]): Promise<Counts> => {
  const release = RELEASES.find((each) => each === name);
  if (release === undefined) {
    throw new Error(
      `npm test machine: which Debian? It takes ${RELEASES.join(' or ')}, and parts or files of tests`,
    );
  }
  const debian = await debianMachine(release);
  const scratch = await mkdtemp(join(tmpdir(), 'conntrack-ha-machine-'));
  // Ctrl-C ends the machine, and then what is below is done all the same. Not `once`: execa's own listener ends us if it is the last.
  const cancel = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => cancel.abort());
  }
  try {
    const disk = await treeImage(scratch, words.length === 0 ? ALL : words);
    let console = '';
    const report = await bootMachine({
      debian,
      disk,
      report: join(scratch, 'report'),
      limit: LIMIT,
      cancelSignal: cancel.signal,
      onOutput: (text) => {
        process.stdout.write(text);
        console = (console + text).slice(-10_000);
      },
    });
    return countsOf(console, report);
  } finally {
    await rm(scratch, { recursive: true });
  }
};

/** The last line that says so, unless the exit status says otherwise. */
const countsOf = (console: string, report: string): Counts => {
  const [, passed, failed] = [...console.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1) ?? [];
  if (passed === undefined || failed === undefined) {
    throw new Error(
      `npm test machine: the machine ended without a result (its report: ${JSON.stringify(report)})`,
    );
  }
  const counts = { passed: Number(passed), failed: Number(failed) };
  return report.trim() === '0' || counts.failed > 0 ? counts : { ...counts, failed: 1 };
};
