import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../system/log.ts';
import type { AgentFiles } from './files.ts';

/** How long a stand-in may take to end: it obeys SIGTERM at once, unless it is stopped. */
const OBEY_MS = 2000;

/**
 * Ends a stand-in (`run --once`) that is under way: the agent takes over from it, wherever it is. A transition may be cut off
 * anywhere; who comes after it finds what was wanted, and goes on from what the kernel holds.
 */
export const endStandIn = async (
  files: Pick<AgentFiles, 'runningStandIn'>,
  log: Pick<Logger, 'info'>,
): Promise<void> => {
  const pid = files.runningStandIn();
  if (pid === undefined) {
    return;
  }
  log.info(`takes over from the stand-in that a hook has started (process ${pid})`);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    send(pid, signal);
    const end = performance.now() + OBEY_MS;
    while (files.runningStandIn() === pid && performance.now() < end) {
      await delay(10);
    }
    if (files.runningStandIn() !== pid) {
      return;
    }
  }
};

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
};
