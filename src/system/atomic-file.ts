import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file so that a reader sees the old text or the new, never a part, whenever this process dies. The
 * directory must exist. It outlives a crash of the process, not one of the machine: what is in /run needn't. It
 * waits for the write, which takes microseconds there, so that nothing of this process comes between two writes.
 *
 * @param mode permissions, less the umask
 */
export const writeAtomically = (path: string, text: string, mode = 0o644): void => {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    writeFileSync(temporary, text, { mode, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
};
