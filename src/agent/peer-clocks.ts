import { LONGEST_MS } from './stand-still.ts';

/**
 * Of so many messages, heard in so many milliseconds, one was quick: what waited for a busy node was heard all at once. Each is
 * compared with the last so many before it, or up to as many more.
 */
const BLOCK = { messages: 20, milliseconds: 1000 };
/** The first are taken for enough sooner: an agent may have just begun. */
const FIRST_BLOCK = { messages: 5, milliseconds: 400 };
/** After so long without a message two clocks may have drifted apart. One that stood still doesn't know of such a time. */
const SILENCE_MS = 10_000;
/** What comes after a pause was sent in the course of it, and tells of it piece by piece. */
const QUIET_MS = 1000;

/** How long one peer's messages took, by the difference of two clocks that began at different times. */
interface Journey {
  readonly session: string;
  heardAt: number;
  /** The shortest of a block of messages; undefined: of the first one. */
  before: number | undefined;
  /** The shortest of the block under way, how many messages it has by now, and when the first was heard. */
  shortest: number;
  messages: number;
  since: number;
}

/**
 * Notices by the peers' clocks that this node's own clock stood still: that of a virtual machine may, while it is paused. A message
 * can take longer than others, so that its sender's clock seems to be behind; ahead by a jump it is only if this node missed that
 * time. Times in milliseconds.
 */
export class PeerClocks {
  readonly #journeys = new Map<string, Journey>();
  #noticedAt = Number.NEGATIVE_INFINITY;

  /**
   * A message has come from a peer's agent. Returns for how long, at least, this node's clock stood still since the messages
   * before; 0: it didn't, or that was just said.
   *
   * @param clock the sender's as it sent it
   */
  heard(peer: string, session: string, clock: number, now: number): number {
    const took = now - clock;
    const known = this.#journeys.get(peer);
    if (known?.session !== session || now - known.heardAt > SILENCE_MS) {
      const block = { shortest: took, messages: 1, since: now };
      this.#journeys.set(peer, { session, heardAt: now, before: undefined, ...block });
      return 0;
    }
    known.heardAt = now;
    const gap = (known.before ?? took) - took;
    const stoodStill = gap >= LONGEST_MS;
    known.shortest = Math.min(known.shortest, took);
    known.messages += 1;
    const block = known.before === undefined ? FIRST_BLOCK : BLOCK;
    if (stoodStill || (known.messages >= block.messages && now - known.since >= block.milliseconds)) {
      // Two clocks drift, and a peer's may stand still as well: what was long ago doesn't count.
      known.before = known.shortest;
      known.shortest = took;
      known.messages = 1;
      known.since = now;
    }
    if (!stoodStill) {
      return 0;
    }
    const said = now - this.#noticedAt < QUIET_MS;
    this.#noticedAt = now;
    return said ? 0 : gap;
  }

  /** This node was stopped or starved: of what waited with it no message was quick. */
  awoke(now: number): void {
    for (const journey of this.#journeys.values()) {
      journey.shortest = Number.POSITIVE_INFINITY;
      journey.messages = 0;
      journey.since = now;
    }
  }
}
