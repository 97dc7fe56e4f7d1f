/** A flow that was touched so often, and is still missing at a replica, does not get there by touching it. */
const OFTEN = 8;
/** What wasn't asked for within so many milliseconds is not asked for again and again. */
const FORGOTTEN_MS = 10_000;
/** Of what one replica asks for, so many are looked at: who lacks more than that has yet to get a bulk. */
const LOOKED_AT = 10_000;

/**
 * Counts how often replicas have asked this node, the owner, for the same flow. conntrackd keeps the translation that a
 * flow had when it came into its cache, whatever the kernel says of it later (nfct_copy with NFCT_CP_META in src/cache.c),
 * and sends that: so after two owners have translated one flow in two ways a replica may ask for ever.
 */
export class RepeatedQuestions {
  readonly #asked = new Map<number, { times: number; last: number }>();

  /** Notes what is asked for now. Returns how many of these were asked for too often. */
  ask(hashes: Iterable<number>, now: number): number {
    for (const [hash, { last }] of this.#asked) {
      if (now - last >= FORGOTTEN_MS) {
        this.#asked.delete(hash);
      }
    }
    let often = 0;
    let looked = 0;
    for (const hash of hashes) {
      looked += 1;
      if (looked > LOOKED_AT) {
        break;
      }
      const times = (this.#asked.get(hash)?.times ?? 0) + 1;
      this.#asked.set(hash, { times, last: now });
      often += times >= OFTEN ? 1 : 0;
    }
    return often;
  }

  forget(): void {
    this.#asked.clear();
  }
}
