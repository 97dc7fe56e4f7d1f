import type { Doubt } from '../cluster/snapshot.ts';

/** How long a node that stood still doubts that what it owns is still its own. */
const DOUBT_MS = 10_000;

/** Which groups a peer may have taken over while this node stood still. Times in milliseconds of one monotonic clock. */
export class Doubts {
  readonly #doubts = new Map<string, Doubt & { readonly since: number }>();

  /** @param clock whether this node's clock went on: else nobody knows for how long it stood still */
  stoodStill(milliseconds: number, groups: readonly string[], now: number, clock: boolean): void {
    const doubt = {
      reason: `this node stood still for ${(milliseconds / 1000).toFixed(1)} s`,
      milliseconds: clock ? milliseconds : Number.POSITIVE_INFINITY,
      since: now,
    };
    for (const group of groups) {
      this.#doubts.set(group, doubt);
    }
  }

  of(group: string, now: number): Doubt | undefined {
    const doubt = this.#doubts.get(group);
    return doubt !== undefined && now - doubt.since < DOUBT_MS ? doubt : undefined;
  }

  /** Its owner has changed since. */
  settle(group: string): void {
    this.#doubts.delete(group);
  }
}
