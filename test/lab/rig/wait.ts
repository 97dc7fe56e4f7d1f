import { setTimeout as sleep } from 'node:timers/promises';

/** Something that was awaited did not come about in time. The message names it and the last state that was seen. */
export class WaitError extends Error {
  override readonly name = 'WaitError';
}

/**
 * Calls `look` every 20 ms until `holds` accepts what it returns, and returns that. An error that `look` throws counts
 * as a state that doesn't hold yet. Throws a WaitError after `boundMs` milliseconds.
 */
export const until = async <T>(
  what: string,
  look: () => T | Promise<T>,
  boundMs: number,
  holds: (state: T) => boolean = Boolean,
): Promise<T> => {
  const start = performance.now();
  let last = 'nothing yet';
  for (;;) {
    try {
      const state = await look();
      if (holds(state)) {
        return state;
      }
      last = JSON.stringify(state) ?? String(state);
    } catch (error) {
      last = String(error);
    }
    if (performance.now() - start > boundMs) {
      throw new WaitError(`waited ${boundMs} ms for ${what}; last seen: ${last.slice(0, 2000)}`);
    }
    await sleep(20);
  }
};
