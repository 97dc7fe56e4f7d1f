import { run } from '../system/run.ts';
import { FAMILIES, TABLE } from './owned.ts';
import { removal } from './render.ts';

/** Hundreds of map elements take milliseconds; a busy machine may hold the rules' lock for longer. */
const TIMEOUT = 30_000;

/** Loads a file of rules in one transaction. Throws ProgramError: nothing has changed then. */
export const loadTables = async (rules: string): Promise<void> => {
  await run('nft', ['-f', '-'], { input: rules, timeout: TIMEOUT });
};

/** Removes our tables, whether they are there or not. Throws ProgramError. */
export const removeTables = (): Promise<void> => loadTables(removal);

/** Whether all our tables are in the kernel. Throws ProgramError. */
export const tablesLoaded = async (): Promise<boolean> => {
  const lines = (await run('nft', ['list', 'tables'], { timeout: TIMEOUT })).split('\n');
  return FAMILIES.every((family) => lines.includes(`table ${family} ${TABLE}`));
};
