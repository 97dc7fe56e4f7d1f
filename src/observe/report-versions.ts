import { release } from 'node:os';
import type { ClusterConfig } from '../config/types.ts';
import { ProgramError, run } from '../system/run.ts';
import { ownVersion } from './own-version.ts';
import { type Entry, entryOf, type Section } from './report.ts';

/** The kernel and the programs that make the cluster. */
export const versionsSection = async (manager: ClusterConfig['manager']): Promise<Section> => ({
  title: 'Versions',
  entries: await Promise.all([
    entryOf('conntrack-ha', async () => ownVersion()),
    { label: 'node', text: process.version },
    { label: 'kernel', text: release() },
    programEntry('nft', '--version'),
    programEntry('conntrackd', '-v'),
    ...(MANAGERS[manager] ?? []).map(([program, option]) => programEntry(program, option)),
  ]),
});

const MANAGERS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  keepalived: [['keepalived', '--version']],
  pacemaker: [
    ['pacemakerd', '--version'],
    ['corosync', '-v'],
  ],
};

const programEntry = (program: string, option: string): Promise<Entry> =>
  entryOf(program, async () => {
    const text = await runAnywhere(program, [option]);
    return /\d[\w.~+-]*\.[\w.~+-]*\w/.exec(text)?.[0] ?? text.split('\n')[0] ?? '';
  });

/** Only root's PATH leads to where Debian has these programs. */
export const runAnywhere = async (program: string, args: readonly string[]): Promise<string> => {
  const both = { both: true };
  try {
    return await run(program, args, both);
  } catch (error) {
    if (!(error instanceof ProgramError && error.failure === 'missing')) {
      throw error;
    }
    return run(`/usr/sbin/${program}`, args, both).catch(() => {
      throw error;
    });
  }
};
