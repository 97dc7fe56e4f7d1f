import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longer than this nobody holds the event loop at a stretch, in milliseconds. */
const STRETCH_MS = 5;

/**
 * What is returned is called in a long loop, and lets the event loop go round whenever that has not done so for some
 * milliseconds: a promise that is fulfilled already doesn't.
 */
export const breather = (): (() => Promise<void>) => {
  let last = performance.now();
  return async () => {
    if (performance.now() - last >= STRETCH_MS) {
      await nextTurn();
      last = performance.now();
    }
  };
};
