/** Longer between two looks, in milliseconds, and this process has stood still: peers no longer waited for it. */
export const LONGEST_MS = 350;

/** Notices that this process didn't run for a while: stopped, starved, or its machine was. */
export class StandStill {
  #last: number;

  constructor(now: number) {
    this.#last = now;
  }

  /** To be called every 100 ms at least. Returns for how many milliseconds it stood still until now; 0: it didn't. */
  look(now: number): number {
    const gap = now - this.#last;
    this.#last = now;
    return gap >= LONGEST_MS ? gap : 0;
  }
}
