import { ProgramError, run } from '../../system/run.ts';
import { NOTHING, type Present, parsePresent } from './present.ts';

/** Another program may hold the rules' lock for so long, in seconds; what runs here may take so long, in milliseconds. */
const LOCK_S = 10;
const TIMEOUT = 30_000;

/** Loads sections, each wholly or not at all; the first that fails is the last that is tried. Throws ProgramError. */
export const restore = async (sections: string): Promise<void> => {
  await run('iptables-restore', ['--noflush', '-w', String(LOCK_S)], { input: sections, timeout: TIMEOUT });
};

/** The rules of a table, as iptables lists them. Throws ProgramError. */
export const listTable = (table: string): Promise<string> =>
  run('iptables', ['-w', String(LOCK_S), '-t', table, '-S'], { timeout: TIMEOUT });

/** What of ours is in the kernel; nothing where iptables isn't installed. Throws ProgramError. */
export const present = async (): Promise<Present> => {
  try {
    return parsePresent(await run('iptables-save', [], { timeout: TIMEOUT }));
  } catch (error) {
    if (error instanceof ProgramError && error.failure === 'missing') return NOTHING;
    throw error;
  }
};
