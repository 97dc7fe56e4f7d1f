import { EVENT_KINDS } from './event.ts';

/** What was seen after events of one kind. Times in milliseconds. */
export interface Row {
  events: number;
  /** Packets that came twice. */
  twice: number;
  /** New connections that failed as they began, for two owners or none: counted, not forbidden. */
  failed: number;
  /** New connections that failed since they were younger than a second when their owner lost power. */
  young: number;
  worstStall: number;
  /** From the event until every bucket had one owner and every flow an answer. */
  worstSettling: number;
}

/** Kinds of events; those that came before the one before had settled are taken together. */
export const ROW_NAMES = [...EVENT_KINDS, 'overlapping'] as const;
export type RowName = (typeof ROW_NAMES)[number];

/** Adds up what a campaign has seen, by kind of event. */
export class Tally {
  readonly rows: Map<RowName, Row>;

  constructor(rows: Iterable<readonly [RowName, Row]> = []) {
    this.rows = new Map(rows);
  }

  note(name: RowName, seen: Row): void {
    const row = this.rows.get(name) ?? {
      events: 0,
      twice: 0,
      failed: 0,
      young: 0,
      worstStall: 0,
      worstSettling: 0,
    };
    this.rows.set(name, {
      events: row.events + seen.events,
      twice: row.twice + seen.twice,
      failed: row.failed + seen.failed,
      young: row.young + seen.young,
      worstStall: Math.max(row.worstStall, seen.worstStall),
      worstSettling: Math.max(row.worstSettling, seen.worstSettling),
    });
  }

  get events(): number {
    return [...this.rows.values()].reduce((sum, { events }) => sum + events, 0);
  }

  /** A table for people. */
  text(): string {
    const head = ['after', 'events', 'worst stall', 'settled in', 'came twice', 'failed', 'young'];
    const lines = [...this.rows]
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([name, row]) => [
        name,
        String(row.events),
        `${row.worstStall} ms`,
        `${row.worstSettling} ms`,
        String(row.twice),
        String(row.failed),
        String(row.young),
      ]);
    const widths = head.map((title, at) =>
      Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)),
    );
    return [head, ...lines]
      .map((line) =>
        line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))),
      )
      .map((cells) => cells.join('  '))
      .join('\n');
  }
}
