import type { OwnedSet } from '../transitions/edges.ts';

/** Renews the kernel's ownership of this node's buckets while the agent plays its rounds. */
export class Lease {
  readonly #milliseconds: number;
  #renewedAt = Number.NEGATIVE_INFINITY;

  /** @param milliseconds that the kernel keeps a bucket owned; 0: for ever */
  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** Whether what was renewed last is still in the kernel at `now`, unless somebody has taken it out. */
  holds(now: number): boolean {
    return this.#milliseconds === 0 || now < this.#renewedAt + this.#milliseconds;
  }

  /**
   * Renews it if a third of it has passed. What has run out is dropped by the kernel: it stays closed until it is activated
   * again. An earlier agent may have given these another lease, so the first renewal is at once.
   */
  async renew(set: OwnedSet, owned: ReadonlySet<number>): Promise<void> {
    const now = performance.now();
    const first = this.#renewedAt === Number.NEGATIVE_INFINITY;
    if (first || (this.#milliseconds > 0 && now >= this.#renewedAt + this.#milliseconds / 3)) {
      await set.renew([...owned]);
      this.#renewedAt = now;
    }
  }
}
