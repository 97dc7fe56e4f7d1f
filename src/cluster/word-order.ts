/** When a manager's word was said: clock ticks since boot, then the number of the process that said it. */
export interface WordOrder {
  readonly ticks: number;
  readonly pid: number;
}

/**
 * keepalived starts its hooks in the order of its events and waits for none: one that started later says the newer word,
 * whichever arrives first. Within one tick (10 ms) process numbers grow.
 */
export const isOlder = (one: WordOrder, other: WordOrder): boolean =>
  one.ticks === other.ticks ? one.pid < other.pid : one.ticks < other.ticks;
