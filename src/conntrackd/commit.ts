import { setTimeout as sleep } from 'node:timers/promises';
import { untilTaken } from './backlog.ts';
import { readCommit, sizeOfLog } from './commit-log.ts';
import type { Control } from './control.ts';
import { ConntrackdError } from './errors.ts';
import { parseStatistics } from './statistics.ts';

/** What a commit has done. */
export interface CommitResult {
  /** Entries that are in the kernel now; undefined: conntrackd's log can't be read. */
  readonly committed: number | undefined;
  /** Entries that the kernel didn't take; undefined likewise. */
  readonly refused: number | undefined;
  /** From the order to its end. */
  readonly milliseconds: number;
}

export interface CommitOptions {
  /** conntrackd's log file. */
  readonly log: string;
  /** The UDP port on which conntrackd hears the peer. */
  readonly port: number;
  /** Milliseconds that a commit of nothing may take. */
  readonly bound: number;
}

/** Flows a millisecond: a tenth of what was measured on two shared processors (docs/performance.md). */
const SLOWEST = 10;
/** How long what the peer has sent may lie unread, in milliseconds. */
const UNREAD_MS = 100;
/** How often somebody else's commit is waited for. */
const ATTEMPTS = 3;

/**
 * Puts all that the external cache holds into the kernel. First what has come from the peer already is awaited, so that it
 * is committed with the rest.
 *
 * The control socket tells only that it is over, also if conntrackd has skipped the order because somebody else's commit
 * was under way. What was done stands in its log alone, so that is read: without a commit's end in it the order counts as
 * skipped, and is given again.
 *
 * @throws {ConntrackdError} what `Control.send` throws, and if it was skipped again and again
 */
export const commitExternal = async (control: Control, options: CommitOptions): Promise<CommitResult> => {
  const began = performance.now();
  await untilTaken(options.port, UNREAD_MS);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { external } = parseStatistics(await control.send('statistics'));
    const bound = options.bound + (external.kind === 'cache' ? external.active / SLOWEST : 0);
    const from = await sizeOfLog(options.log);
    await control.send('commit', bound);
    const said = await readCommit(options.log, from);
    if (said !== 'skipped') {
      return { ...said, milliseconds: performance.now() - began };
    }
    await untilCommitted(options.log, from, bound);
  }
  throw new ConntrackdError(
    `conntrackd's log (${options.log}) tells of no commit though one was ordered ${ATTEMPTS} times; ` +
      'does somebody else order commits?',
  );
};

/** Waits for the end of somebody else's commit, or for the bound. */
const untilCommitted = async (log: string, from: number | undefined, bound: number): Promise<void> => {
  const end = performance.now() + bound;
  while ((await readCommit(log, from)) === 'skipped' && performance.now() < end) {
    await sleep(20);
  }
};
