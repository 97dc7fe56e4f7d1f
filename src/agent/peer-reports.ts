import type { LegsReport } from '../peers/message.ts';
import type { PeerOnLeg } from './heard-leg.ts';

/** Statuses come ten times a second. A longer gap, and nobody knows what the peer heard or sent meanwhile. */
const GAP_MS = 500;

interface Told {
  readonly at: number;
  readonly report: LegsReport | undefined;
  readonly lost: readonly string[];
  /** Since when it has told of each leg, without a break, and not had it lost. */
  readonly since: ReadonlyMap<string, number>;
}

/** What the peers say that they hear, leg by leg. Times in milliseconds of one monotonic clock. */
export class PeerReports {
  readonly #told = new Map<string, Told>();

  /** @param report undefined: an agent of an older version, or one that can't listen */
  told(peer: string, report: LegsReport | undefined, lost: readonly string[], now: number): void {
    const before = this.#told.get(peer);
    const goesOn =
      before !== undefined && now - before.at < GAP_MS && before.report?.session === report?.session;
    const legs = Object.keys(report?.heard ?? {}).filter((leg) => !lost.includes(leg));
    const since = new Map(legs.map((leg) => [leg, (goesOn ? before.since.get(leg) : undefined) ?? now]));
    this.#told.set(peer, { at: now, report, lost, since });
  }

  /** What a peer's agent draws at its start; undefined: not known. */
  session(peer: string): string | undefined {
    return this.#told.get(peer)?.report?.session;
  }

  /** The peers that told something just now. */
  of(leg: string, now: number): readonly PeerOnLeg[] {
    return [...this.#told]
      .filter(([, { at }]) => now - at < GAP_MS)
      .map(([name, { at, report, lost, since }]) => ({
        name,
        // Whoever has just begun to tell tells.
        telling: since.has(leg) ? Math.max(1, now - (since.get(leg) ?? now)) : 0,
        lost: lost.includes(leg),
        heard: new Map(
          Object.entries(report?.heard[leg] ?? {}).map(([node, age]) => [node, age + (now - at)]),
        ),
      }));
  }
}
