import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { until } from './wait.ts';

/** Children of process `pid`, in the host's numbering; empty when it has none or is gone. proc(5), /proc/pid/task. */
export const childrenOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
};

/** The first child of `pid`, as soon as there is one (nsenter and unshare fork once to enter a pid namespace). */
export const onlyChild = async (pid: number): Promise<number> => {
  const [child] = await until(
    `a child of process ${pid}`,
    () => childrenOf(pid),
    5000,
    (all) => all.length > 0,
  );
  if (child === undefined) {
    throw new RangeError(`process ${pid} has no child`);
  }
  return child;
};

/** Start time of a process in clock ticks since boot, which with the pid identifies it for good; undefined if gone. */
export const startTime = (pid: number): string | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
};

/** Sends a signal; false if the process is gone already. */
export const signal = (pid: number, name: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
};
