import { existsSync, readFileSync } from 'node:fs';
import type { ClusterConfig } from '../config/types.ts';
import { find } from './directive.ts';
import { conntrackdProcesses } from './process.ts';
import { lockFileOf } from './render.ts';
import { parseConfiguration } from './syntax.ts';

/**
 * The lock file that keeps conntrackd from starting though none runs that could hold it; undefined if there is none. It is
 * made with O_EXCL (src/main.c of conntrack-tools 1.4.7) and removed at an orderly end only: one that was killed leaves it.
 *
 * @param known the one that was found before: while it is there, one that tries to start and fails at it doesn't hold it
 */
export const staleLock = ({ paths }: Pick<ClusterConfig, 'paths'>, known = ''): string | undefined => {
  const lock = lockIn(paths.conntrackdConf) ?? lockFileOf(paths.conntrackd);
  const free = (): boolean => lock === known || conntrackdProcesses().length === 0;
  return existsSync(lock) && free() ? lock : undefined;
};

const lockIn = (path: string): string | undefined => {
  try {
    const general = find(parseConfiguration(readFileSync(path, 'utf8')).statements, 'General');
    return find(general?.block ?? [], 'LockFile')?.values[0];
  } catch {
    return undefined;
  }
};
