/** A node's connection table, as the node tells of it. */
export interface TableUse {
  /** Entries. */
  readonly used: number;
  /** As many as there may be; 0: no bound. */
  readonly max: number;
  /** Entries that its peers are to hold copies of: flows of the buckets that it owns. Undefined: not counted yet. */
  readonly own?: number | undefined;
}

/** What has to be said of a node's table; both undefined: nothing. */
export interface Room {
  /** Its table fills: so many entries of so many. */
  readonly fills: Share | undefined;
  /** What the nodes hold together doesn't fit into it, or only just: so many entries of so many. */
  readonly lacks: Share | undefined;
}

export interface Share {
  readonly entries: number;
  readonly max: number;
}

/**
 * Shares of a table. What has begun goes on until there is clearly less, so that a table that is used to just so much isn't
 * told of again and again.
 */
const FILLS = { from: 0.8, until: 0.75 } as const;
const LACKS = { from: 0.9, until: 0.85 } as const;

/**
 * Whether the tables of the nodes fill, and have the room for what all of them hold together. Pure.
 *
 * With `replicas: kernel` a replica's table holds the copies, so what it needs is at least what it holds now, and at least what
 * all nodes own. With `cache` the copies come into it with a takeover only, beside what it holds.
 *
 * @param tables of this node and of the peers that tell, by node
 * @param before what was found last, by node
 */
export const judgeRoom = (
  tables: ReadonlyMap<string, TableUse>,
  before: ReadonlyMap<string, Room>,
  replicas: 'kernel' | 'cache',
): ReadonlyMap<string, Room> => {
  const all = [...tables.values()].reduce((sum, { own = 0 }) => sum + own, 0);
  return new Map(
    [...tables].map(([node, { used, max, own = 0 }]) => {
      const needed = replicas === 'cache' ? used + all - own : Math.max(used, all);
      const known = before.get(node);
      return [
        node,
        {
          fills: reached(used, max, known?.fills === undefined ? FILLS.from : FILLS.until),
          lacks: reached(needed, max, known?.lacks === undefined ? LACKS.from : LACKS.until),
        },
      ];
    }),
  );
};

const reached = (entries: number, max: number, share: number): Share | undefined =>
  max > 0 && entries >= max * share ? { entries, max } : undefined;

/** The next power of two that what is needed fits into twice: what a table should be allowed to hold. */
export const roomFor = ({ entries }: Share): number => 2 ** Math.ceil(Math.log2(Math.max(entries, 1) * 2));
