import type { Doubt } from '../cluster/snapshot.ts';

/** How long a node that stood still doubts at most that what it owns is still its own. */
const DOUBT_MS = 10_000;
/** What peers have said meanwhile is heard sooner than they said it, or in that time. */
const HEARING_MS = 1000;

/** Which groups a peer may have taken over while this node stood still. Times in milliseconds of one monotonic clock. */
export class Doubts {
  readonly #doubts = new Map<string, Doubt & { readonly since: number }>();

  /** @param clock whether this node's clock went on: else nobody knows for how long it stood still */
  stoodStill(milliseconds: number, groups: readonly string[], now: number, clock: boolean): void {
    const reason = `this node stood still for ${(milliseconds / 1000).toFixed(1)} s`;
    const passed = clock ? milliseconds : Number.POSITIVE_INFINITY;
    for (const group of groups) {
      // Once more before it has heard anybody: then it stood still all the time.
      const before = this.of(group, now)?.milliseconds ?? 0;
      this.#doubts.set(group, { reason, milliseconds: before + passed, since: now });
    }
  }

  of(group: string, now: number): Doubt | undefined {
    const doubt = this.#doubts.get(group);
    if (doubt === undefined) {
      return undefined;
    }
    const bound = Math.min(DOUBT_MS, HEARING_MS + doubt.milliseconds);
    return now - doubt.since < bound ? doubt : undefined;
  }

  /** Its owner has changed since. */
  settle(group: string): void {
    this.#doubts.delete(group);
  }
}
