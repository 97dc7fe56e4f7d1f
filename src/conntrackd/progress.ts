import { setTimeout as sleep } from 'node:timers/promises';
import { untilRead } from './backlog.ts';
import type { Control } from './control.ts';
import { parseQueues, parseResendQueue } from './queues.ts';

export interface DrainOptions {
  /** Milliseconds after which to give up; a command under way then is still waited for. */
  readonly bound: number;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

/** Longer ones aren't listed: conntrackd writes a line for each message and replicates nothing meanwhile. */
const LISTABLE = 10_000;

/** Answers after which what was in the transmit queue at the first has been sent (see `drained`). */
const SENT_AFTER = 3;

/**
 * Waits until the peer has acknowledged every flow that conntrackd had queued for it when this was called. False at
 * the bound: the peer may be gone, or slow.
 *
 * The queues needn't be empty for it: on a quiet node our own last acknowledgement stays in the resend queue (the peer
 * acknowledges it with its next), on one that owns busy buckets there is always something. So kind and sequence number
 * of the messages decide: once what was to be sent is sent, the newest flow in the resend queue is the mark, and the
 * wait ends when no flow up to the mark is left. conntrackd empties the whole transmit queue in one turn of its loop
 * and answers at most one command a turn, so three answers later it is sent whatever comes after it.
 *
 * Events that conntrackd hasn't read from the kernel yet aren't seen: on a node under load let the flows come to rest
 * (deactivate) first. Throws what `Control.send` throws.
 */
export const drained = async (control: Control, { bound, interval = 10 }: DrainOptions): Promise<boolean> => {
  const end = performance.now() + bound;
  let mark: number | undefined;
  for (let answers = 1; ; answers += 1) {
    const { transmit, resend } = parseQueues(await control.send('queue'));
    const waiting = resend?.current ?? 0;
    if (transmit.current === 0 && waiting === 0) return true;
    if ((transmit.current === 0 || answers >= SENT_AFTER) && waiting <= LISTABLE) {
      const flows = await sequencesOfFlows(control);
      mark ??= newest(flows);
      if (mark === undefined || !flows.some((sequence) => isUpTo(sequence, mark))) return true;
    }
    if (performance.now() + interval >= end) return false;
    await sleep(interval);
  }
};

/**
 * Waits until all events that the kernel has told until now have left for the peer: without its acknowledgement, which it
 * sends once a second when little happens. As `drained`, but for that; false at the bound.
 */
export const sent = async (control: Control, { bound, interval = 2 }: DrainOptions): Promise<boolean> => {
  const end = performance.now() + bound;
  const read = await untilRead(bound);
  for (let answers = 1; ; answers += 1) {
    const { transmit } = parseQueues(await control.send('queue'));
    // What was read in the turn of the first answer goes out at its end.
    if ((transmit.current === 0 && answers > 1) || answers >= SENT_AFTER) return read;
    if (performance.now() + interval >= end) return false;
    await sleep(interval);
  }
};

const sequencesOfFlows = async (control: Control): Promise<readonly number[]> =>
  parseResendQueue(await control.send('resendQueue'))
    .filter((message) => message.kind === 'object')
    .map((message) => message.sequence);

const newest = (sequences: readonly number[]): number | undefined =>
  sequences.reduce<number | undefined>(
    (latest, sequence) => (latest === undefined || isUpTo(latest, sequence) ? sequence : latest),
    undefined,
  );

/** Serial number arithmetic, as conntrackd's before() and after(). */
const isUpTo = (sequence: number, mark: number | undefined): boolean =>
  mark !== undefined && ((mark - sequence) | 0) >= 0;
