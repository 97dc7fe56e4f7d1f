import { readFile } from 'node:fs/promises';
import { childrenOf } from '../../test/lab/rig/processes.ts';

/** What a program and its children have used so far, and hold now. */
export interface Usage {
  /** Milliseconds of processor time in user mode and in the kernel, also of children that have ended. */
  readonly userMs: number;
  readonly systemMs: number;
  /** Bytes in memory, shared pages counted for each. */
  readonly residentBytes: number;
  readonly processes: number;
}

/** USER_HZ, in which /proc counts on every Linux that Debian builds. */
const TICKS_A_SECOND = 100;

/** Of `pid` and everything below it, from /proc/PID/stat and /proc/PID/status. Throws if it is gone. */
export const usageOf = async (pid: number): Promise<Usage> => {
  const below = await Promise.all((await childrenOf(pid)).map(usageIfThere));
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'latin1'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The second field is the program's name in parentheses; utime is the 14th, then stime, cutime, cstime (proc(5)).
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  const milliseconds = (ticks: number): number => (ticks * 1000) / TICKS_A_SECOND;
  const own: Usage = {
    userMs: milliseconds(user + childrenUser),
    systemMs: milliseconds(system + childrenSystem),
    residentBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
    processes: 1,
  };
  return below.reduce(sum, own);
};

/** A check that keepalived runs may end at any time; what it used counts for its parent then. */
const usageIfThere = (pid: number): Promise<Usage> =>
  usageOf(pid).catch(() => ({ userMs: 0, systemMs: 0, residentBytes: 0, processes: 0 }));

const sum = (one: Usage, other: Usage): Usage => ({
  userMs: one.userMs + other.userMs,
  systemMs: one.systemMs + other.systemMs,
  residentBytes: one.residentBytes + other.residentBytes,
  processes: one.processes + other.processes,
});
