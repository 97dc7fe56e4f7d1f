import { readFileSync } from 'node:fs';
import { startOf } from '../../system/process-start.ts';
import type { Caller } from '../word-spool.ts';

/** The kernel keeps 15 characters of a program's name (TASK_COMM_LEN): pacemaker-controld. */
const CONTROLLER = 'pacemaker-contr';

/**
 * Whether the Pacemaker whose executor has called a hook is part of a cluster: it runs, and beside it the controller. When
 * corosync is killed, pacemakerd (2.1.5) stays, with the executor and without the controller: nobody tells it of the cluster any
 * more, and the nodes that are left promote others.
 */
export const pacemakerRuns = ({ pid, start }: Caller): boolean => {
  if (startOf(pid) !== start) {
    return false;
  }
  const parent = /^PPid:\t(\d+)$/m.exec(read(`${pid}/status`) ?? '')?.[1];
  if (parent === undefined || nameOf(parent) !== 'pacemakerd') {
    return true;
  }
  // Where the kernel lists no children (CONFIG_PROC_CHILDREN), there is no more to be known.
  const children = read(`${parent}/task/${parent}/children`);
  return children === undefined || children.split(' ').some((child) => nameOf(child) === CONTROLLER);
};

const nameOf = (pid: string): string | undefined => (pid === '' ? undefined : read(`${pid}/comm`)?.trimEnd());

const read = (path: string): string | undefined => {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return undefined;
  }
};
