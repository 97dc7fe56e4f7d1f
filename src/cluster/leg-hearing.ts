/** Of the frames: IEEE 802 Local Experimental 1. No stack of IP takes such a frame, and routers forward none (IEEE 802, 9.2.3). */
export const LEG_ETHER_TYPE = 0x88b5;

/** What a node has heard on one leg, and what its peers say that they have. Milliseconds; Infinity: never. */
export interface LegHearing {
  /** For how long this node has listened there without a break. */
  readonly listening: number;
  /** Since it last heard each peer there. */
  readonly heard: ReadonlyMap<string, number>;
  readonly peers: readonly PeerHearing[];
}

export interface PeerHearing {
  readonly name: string;
  /** For how long it has told, without a break, that it sends and listens there. */
  readonly telling: number;
  /** Since it last heard each other node there. */
  readonly heard: ReadonlyMap<string, number>;
}

/**
 * `heard`: this node hears a peer. `deaf`: it hears nobody, though those that should be heard hear it, or each other. `unheard`: nobody
 * hears anybody, so who could say whose fault it is. `unknown`: nothing can be said, or not yet.
 */
export type LegVerdict = 'heard' | 'deaf' | 'unheard' | 'unknown';

/** Between two frames of a node on a leg. */
export const FRAME_MS = 1000;
/** The same while somebody may be deaf there: many must be lost in a row before a leg counts as lost. */
export const HURRIED_FRAME_MS = 200;
/** Silence after which somebody may be deaf; longer than between two frames, also on a busy machine. */
const SUSPICIOUS_MS = 1200;
/** Silence that counts as deafness. With it a peer has taken over within 3 s. */
export const SILENCE_MS = 2000;
/**
 * The same where nobody has ever been heard: frames come in a hurry from the start. A deaf node whose agent is started anew mustn't have
 * got groups by then.
 */
const FIRST_MS = 1000;
/** Who was heard so recently was heard while the other was deaf: frames come in a hurry then. */
const RECENT_MS = 600;
/** So long it may be found out in a hurry; later it is known, or nobody is there. */
const HURRY_MS = 6000;

/** What is to be said of a leg. Pure. */
export const judgeLeg = ({ listening, heard, peers }: LegHearing): LegVerdict => {
  const silence = least(heard);
  if (silence < SILENCE_MS) {
    return 'heard';
  }
  const patience = heard.size === 0 ? FIRST_MS : SILENCE_MS;
  // Who has just begun to send may not have been heard yet.
  const expected = peers.filter(({ telling }) => telling >= patience);
  if (listening < patience || expected.length === 0) {
    return 'unknown';
  }
  const theirs = Math.min(...expected.map((peer) => least(peer.heard)));
  if (theirs < RECENT_MS) {
    return 'deaf';
  }
  return theirs >= SILENCE_MS ? 'unheard' : 'unknown';
};

/** Milliseconds that may pass between two frames on the leg now: fewer while it isn't known whether somebody is deaf. Pure. */
export const framePause = (node: string, { listening, heard, peers }: LegHearing): number => {
  const told = peers.filter(({ telling }) => telling > 0);
  const isSuspicious = (silence: number, watched: number): boolean =>
    silence >= SUSPICIOUS_MS && Math.min(silence, watched) < HURRY_MS;
  const here = told.length > 0 && isSuspicious(least(heard), listening);
  const there = told.some((peer) =>
    isSuspicious(peer.heard.get(node) ?? Number.POSITIVE_INFINITY, peer.telling),
  );
  return here || there ? HURRIED_FRAME_MS : FRAME_MS;
};

const least = (heard: ReadonlyMap<string, number>): number => Math.min(...heard.values());
