import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';

export const FIFO = '/run/conntrack-ha/keepalived.fifo';

/** Means nothing to the agent. Shorter than any line of keepalived's, so that none fits where this one doesn't. */
const FILLER = 'GROUP "x" BACKUP 0\n';

/** Fills the pipe of a node whose agent doesn't read: keepalived's next lines are lost. */
export const fillFifo = (node: FirewallNode): void => {
  const fd = openSync(node.machine.path(FIFO), constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (;;) {
      writeSync(fd, FILLER);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) {
      throw error;
    }
  } finally {
    closeSync(fd);
  }
};

/** Keepalived's word for a group as the agent has heard it, and keeps it for its successor. */
export const keptWord = (node: FirewallNode, group: string): string =>
  readFileSync(node.machine.path(`/run/conntrack-ha/wanted/${group}`), 'utf8')
    .split(' ', 3)
    .join(' ');

/** Waits until keepalived itself is MASTER of the group with this index, or isn't: until its address is there, or gone. */
export const untilMaster = (node: FirewallNode, index: number, master: boolean): Promise<unknown> =>
  until(
    `${node.name}'s keepalived to be ${master ? '' : 'no '}MASTER of group ${index}`,
    async () => (await node.run(['ip', '-o', '-4', 'address', 'show', 'dev', 'lo'])).split('\n'),
    10_000,
    (lines) => lines.some((line) => line.includes(`127.84.0.${50 + index}/32`)) === master,
  );

/** The agent's corrections: lines that it says were lost. */
export const corrections = async (node: FirewallNode): Promise<readonly string[]> =>
  (await node.daemon('agent').output()).split('\n').filter((line) => line.endsWith('a line was lost'));
