import { setTimeout as delay } from 'node:timers/promises';
import { type Activity, activityOf } from '../system/process-activity.ts';
import type { AgentFiles } from './files.ts';
import { StandStill } from './stand-still.ts';

/**
 * An agent whose heart hasn't beaten for so many seconds may be hung. A second before hooks/keepalived-check tells keepalived, so
 * that who takes its place hears the peer that then asks.
 */
const HUNG_S = 2;
/** The heart of one that is well beats at least once in so many seconds. */
const LATE_S = 1;
/** Who judges has been awake for so long: where the whole node stood still, its agent needs a moment to beat again. */
const AWAKE_MS = 300;
/** One that isn't stopped, and has had no CPU for so long, waits for something that doesn't come: its timers wake it 20 times a second. */
const QUIET_MS = 1000;
/** One that works is slow, as its machine may be, until it hasn't beaten for so long. */
const HOPELESS_MS = 60_000;
const LOOK_MS = 50;

/** A heart, and the time of who watches it. */
export interface HeartWatch {
  readonly files: Pick<AgentFiles, 'runningAgent' | 'startingAgent' | 'beatAge'>;
  readonly activity: (pid: number) => Activity | undefined;
  /** In milliseconds. */
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

/**
 * The number of the agent's process if it has hung, if one runs. One that is late is watched until it is well or hung; one that
 * is being started counts as well.
 */
export const agentInTheWay = async ({
  files,
  activity,
  now,
  wait,
}: HeartWatch): Promise<number | 'well' | undefined> => {
  let awake = now();
  let still = awake;
  let work = '';
  const standStill = new StandStill(awake);
  for (;;) {
    if (files.startingAgent() !== undefined) {
      return 'well';
    }
    const running = files.runningAgent();
    const seen = running === undefined ? undefined : activity(running);
    if (running === undefined || seen === undefined) {
      return undefined;
    }
    const age = files.beatAge();
    if (age < LATE_S) {
      return 'well';
    }
    const time = now();
    awake = standStill.look(time) > 0 ? time : awake;
    still = seen.work === work ? Math.max(still, awake) : time;
    work = seen.work;
    if (
      age >= HUNG_S &&
      (time - still >= (seen.stopped ? AWAKE_MS : QUIET_MS) || time - awake >= HOPELESS_MS)
    ) {
      return running;
    }
    await wait(LOOK_MS);
  }
};

export const watchHeart = (files: AgentFiles): HeartWatch => ({
  files,
  activity: activityOf,
  now: () => performance.now(),
  wait: delay,
});
