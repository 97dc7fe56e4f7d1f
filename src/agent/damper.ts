/** Changes within WINDOW_MS that each get a line of their own. */
const BURST = 6;
const WINDOW_MS = 10_000;

interface Flapping {
  /** Changes that had no line, since the last summary. */
  silent: number;
  /** When the last summary was, or the first change without a line. */
  since: number;
  last: string;
}

/** Keeps a group that changes hands again and again from flooding the log: after a few lines, a summary now and then. */
export class Damper {
  readonly #recent = new Map<string, number[]>();
  readonly #flapping = new Map<string, Flapping>();

  /** Whether this change gets a line. `text` says what changed. Times in milliseconds of a monotonic clock. */
  admits(group: string, text: string, now: number): boolean {
    const recent = (this.#recent.get(group) ?? []).filter((at) => now - at < WINDOW_MS);
    recent.push(now);
    this.#recent.set(group, recent.slice(-BURST - 1));
    const flapping = this.#flapping.get(group);
    if (flapping !== undefined) {
      flapping.silent += 1;
      flapping.last = text;
      return false;
    }
    if (recent.length <= BURST) {
      return true;
    }
    this.#flapping.set(group, { silent: 1, since: now, last: text });
    return false;
  }

  /** The summaries that are due, a line each. */
  summaries(now: number): readonly string[] {
    const lines: string[] = [];
    for (const [group, flapping] of this.#flapping) {
      if (now - flapping.since < WINDOW_MS) {
        continue;
      }
      if (flapping.silent === 0) {
        this.#flapping.delete(group);
        this.#recent.delete(group);
        lines.push(`${group} has come to rest`);
        continue;
      }
      lines.push(
        `${group} changes hands too often: ${flapping.silent} more times in ${WINDOW_MS / 1000} s, at last: ${flapping.last}`,
      );
      flapping.silent = 0;
      flapping.since = now;
    }
    return lines;
  }
}
