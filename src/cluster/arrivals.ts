/** A node's count of the packets that have come in on one leg, and what its peers' counts are. */
export interface Arrivals {
  /** Undefined: not known, or no packets are to be expected. */
  readonly own: number | undefined;
  /** By peer; only those that tell now. */
  readonly peers: ReadonlyMap<string, number>;
}

/** One leg since the last packet has come in there. */
export interface Quiet {
  readonly since: number;
  readonly own: number;
  /** The peers' counts at that time, or when they began to tell. */
  readonly peers: ReadonlyMap<string, number>;
}

/** A peer that is busy on a leg where nothing comes in here. */
export interface Silence {
  readonly milliseconds: number;
  readonly peer: string;
  /** As many came in there meanwhile. */
  readonly packets: number;
}

/** Longer than two looks are apart, so that no packet is on its way, and short enough to be told within 5 s. */
const SILENT_MS = 2900;
/** As many a peer must have got meanwhile. Every node gets every packet: a few would do. */
const BUSY_PACKETS = 20;

/** What is known after a look; undefined: nothing. A count that has fallen has begun anew. Pure. */
export const quietSince = (
  before: Quiet | undefined,
  { own, peers }: Arrivals,
  now: number,
): Quiet | undefined => {
  if (own === undefined) {
    return undefined;
  }
  if (before === undefined || before.own !== own) {
    return { since: now, own, peers };
  }
  const least = new Map(
    [...peers].map(([peer, count]) => [peer, Math.min(count, before.peers.get(peer) ?? count)]),
  );
  return { ...before, peers: least };
};

/** Whether packets should have come in. Every node gets every packet, so a peer's count says so. Pure. */
export const silenceOf = (quiet: Quiet, peers: Arrivals['peers'], now: number): Silence | undefined => {
  const milliseconds = now - quiet.since;
  const [busiest] = [...peers]
    .map(([peer, count]) => ({ milliseconds, peer, packets: count - (quiet.peers.get(peer) ?? count) }))
    .sort((one, other) => other.packets - one.packets);
  return milliseconds >= SILENT_MS && busiest !== undefined && busiest.packets >= BUSY_PACKETS
    ? busiest
    : undefined;
};
