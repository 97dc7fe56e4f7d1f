import { readFileSync } from 'node:fs';

/**
 * When a process started, in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)); with its number it identifies
 * the process for good. Undefined if there is none.
 */
export const startOf = (pid: number | 'self'): number | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, and may hold any character.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
};

/** The time since boot in hundredths of a second, as startOf and /proc/uptime count it. */
export const uptimeTicks = (): number => {
  const [seconds = ''] = readFileSync('/proc/uptime', 'latin1').split(' ');
  return Math.round(Number(seconds) * 100);
};
