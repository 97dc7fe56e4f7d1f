import { setTimeout as delay } from 'node:timers/promises';
import type { AgentFiles } from './files.ts';
import { StandStill } from './stand-still.ts';

/**
 * An agent whose heart hasn't beaten for so many seconds is hung. A second before hooks/keepalived-check tells keepalived, so
 * that who takes its place hears the peer that then asks.
 */
const HUNG_S = 2;
/** The heart of one that is well beats at least once in so many seconds. */
const LATE_S = 1;
/** Who judges has been awake for so long: where the whole node stood still, its agent needs a moment to beat again. */
const AWAKE_MS = 300;
const LOOK_MS = 50;

/** A heart, and the time of who watches it. */
export interface HeartWatch {
  readonly files: Pick<AgentFiles, 'runningAgent' | 'beatAge'>;
  /** In milliseconds. */
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

/** The number of the agent's process if it has hung, if one runs. One that is late is watched until it is well or hung. */
export const agentInTheWay = async ({
  files,
  now,
  wait,
}: HeartWatch): Promise<number | 'well' | undefined> => {
  let awake = now();
  const standStill = new StandStill(awake);
  for (;;) {
    const running = files.runningAgent();
    if (running === undefined) {
      return undefined;
    }
    const age = files.beatAge();
    if (age < LATE_S) {
      return 'well';
    }
    const time = now();
    awake = standStill.look(time) > 0 ? time : awake;
    if (age >= HUNG_S && time - awake >= AWAKE_MS) {
      return running;
    }
    await wait(LOOK_MS);
  }
};

export const watchHeart = (files: AgentFiles): HeartWatch => ({
  files,
  now: () => performance.now(),
  wait: delay,
});
