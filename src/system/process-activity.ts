import { readFileSync } from 'node:fs';

/** What a process does, as far as the kernel tells. */
export interface Activity {
  /** By a signal or a debugger: it does nothing until somebody lets it run on. */
  readonly stopped: boolean;
  /** Differs between two looks if it has run in between, for however short a time. */
  readonly work: string;
}

/**
 * Undefined if there is no such process. Its time on a CPU counts in hundredths of a second (fields 14 and 15 of
 * /proc/PID/stat, proc(5)), so the number of its context switches goes with it.
 */
export const activityOf = (pid: number): Activity | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const switches = [...status.matchAll(/_ctxt_switches:\s*(\d+)/g)].map(([, count]) => count);
    return {
      stopped: /^[Tt]$/.test(fields[0] ?? ''),
      work: [fields[11], fields[12], ...switches].join(' '),
    };
  } catch {
    return undefined;
  }
};
