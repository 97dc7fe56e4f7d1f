/** What a replica's agent says of one comparison. */
export interface Compared {
  /** From its asking for the first list to its end. */
  readonly milliseconds: number;
  readonly rounds: number;
  /** In the last round. */
  readonly compared: number;
  /** Still missing at the end, for longer than a second; undefined if the node is synced. */
  readonly missing: number | undefined;
  /** Stale copies that were removed. */
  readonly removed: number;
}

/**
 * The comparisons with an owner in what a replica's agent (bench/programs/agent.ts) has printed, oldest first, and whether one is
 * under way.
 */
export const comparisonsIn = (
  output: string,
  owner: string,
): { readonly ended: readonly Compared[]; readonly underWay: boolean } => {
  const held = new RegExp(
    `holds the states of ${owner}: (\\d+) flows compared in (\\d+) rounds, (\\d+) stale`,
  );
  const lacking = new RegExp(`(\\d+) of (\\d+) flows of ${owner} are still missing`);
  const ended: Compared[] = [];
  let asked: number[] = [];
  for (const line of output.split('\n')) {
    const at = /^\{"asked":(\d+)\}$/.exec(line)?.[1];
    if (at !== undefined) {
      asked.push(Number(at));
    }
    const [, compared, rounds, removed] = held.exec(line) ?? [];
    const [, missing, of] = lacking.exec(line) ?? [];
    if (compared === undefined && missing === undefined) {
      continue;
    }
    ended.push({
      milliseconds: Date.parse(line.split(' ')[0] ?? '') - (asked[0] ?? Number.NaN),
      rounds: Number(rounds ?? asked.length),
      compared: Number(compared ?? of),
      missing: missing === undefined ? undefined : Number(missing),
      removed: Number(removed ?? 0),
    });
    asked = [];
  }
  return { ended, underWay: asked.length > 0 };
};
