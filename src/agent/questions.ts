import type { Asked, Request } from '../cluster/snapshot.ts';

type Numbered<T> = T & { readonly id: number };

/** The hand-over word, as this node says it to peers and as they say it to this node. Times in milliseconds of one monotonic clock. */
export class Questions {
  readonly #asked = new Map<string, Numbered<Asked>>();
  readonly #requests = new Map<string, Numbered<Request>>();

  ask(group: string, peer: string, id: number, now: number): void {
    this.#asked.set(group, { since: now, peer, id, answer: undefined });
  }

  asked(group: string): Numbered<Asked> | undefined {
    return this.#asked.get(group);
  }

  /** An answer counts only for the question it belongs to. */
  answered(group: string, peer: string, id: number, granted: boolean, reason: string, now: number): void {
    const asked = this.#asked.get(group);
    if (asked?.peer === peer && asked.id === id && asked.answer === undefined) {
      this.#asked.set(group, { ...asked, answer: { granted, reason, at: now } });
    }
  }

  /** Its owner has changed, or the word that it was asked for counts no more. */
  forget(group: string): void {
    this.#asked.delete(group);
  }

  /** Nobody could answer for so long. */
  stoodStill(milliseconds: number): void {
    for (const [group, asked] of this.#asked) {
      this.#asked.set(group, { ...asked, since: asked.since + milliseconds });
    }
  }

  request(group: string, from: string, id: number, synced: boolean, now: number): void {
    const before = this.#requests.get(group);
    if (before !== undefined && before.from !== from) {
      return; // one after the other: it is said again until it is answered
    }
    const since = before?.id === id ? before.since : now;
    this.#requests.set(group, { from, id, synced, since });
  }

  requestFor(group: string): Request | undefined {
    return this.#requests.get(group);
  }

  /** The request that is now answered. */
  takeRequest(group: string): Numbered<Request> | undefined {
    const request = this.#requests.get(group);
    this.#requests.delete(group);
    return request;
  }
}
