import {
  framePause,
  judgeLeg,
  type LegHearing,
  type LegVerdict,
  SILENCE_MS,
} from '../cluster/leg-hearing.ts';

/** Who was deaf has to hear a peer's next frame too: one that slips through mends nothing. */
const HEARING_MS = 900;
/** Nobody hears anybody for so long before it is said. */
const UNHEARD_MS = 2000;

/** A peer as it stands to one leg. */
export interface PeerOnLeg {
  readonly name: string;
  /** For how long it has told, without a break, that it sends and listens there; 0: it doesn't. */
  readonly telling: number;
  /** The leg is lost there. */
  readonly lost: boolean;
  readonly heard: ReadonlyMap<string, number>;
}

/** What this node hears on one leg, and what that means. Times in milliseconds of one monotonic clock. */
export class HeardLeg {
  readonly #node: string;
  readonly #heardAt = new Map<string, number>();
  #listeningSince: number;
  #lastHeard = Number.NEGATIVE_INFINITY;
  /** Since when somebody has been heard without a gap that would be deafness. */
  #hearingSince = Number.NEGATIVE_INFINITY;
  #verdict: LegVerdict = 'unknown';
  #deaf = false;
  #unheardSince = Number.POSITIVE_INFINITY;

  constructor(node: string, now: number) {
    this.#node = node;
    this.#listeningSince = now;
  }

  /** A frame of a peer has come. */
  heard(peer: string, now: number): void {
    if (now - this.#lastHeard >= SILENCE_MS) {
      this.#hearingSince = now;
    }
    this.#lastHeard = now;
    this.#heardAt.set(peer, now);
  }

  /** Nobody could be heard until now, or it isn't known. */
  interrupted(now: number): void {
    this.#listeningSince = now;
  }

  /** To be called often: what `verdict`, `deaf` and `unheard` are from now on. @param peers those that this node reaches now */
  judge(peers: readonly PeerOnLeg[], now: number): void {
    this.#verdict = judgeLeg(this.#hearing(peers, now));
    if (this.#verdict === 'deaf') {
      this.#deaf = true;
    } else if (this.#verdict === 'heard') {
      this.#deaf &&= this.#lastHeard - this.#hearingSince < HEARING_MS;
    } else if (this.#verdict === 'unheard' || !this.#mayBeHeard(peers)) {
      this.#deaf = false;
    }
    if (this.#verdict !== 'unheard') {
      this.#unheardSince = Number.POSITIVE_INFINITY;
    } else {
      this.#unheardSince = Math.min(this.#unheardSince, now);
    }
  }

  /** Milliseconds that may pass between two frames of this node's own. */
  pause(peers: readonly PeerOnLeg[], now: number): number {
    return framePause(this.#node, this.#hearing(peers, now));
  }

  get verdict(): LegVerdict {
    return this.#deaf ? 'deaf' : this.#verdict;
  }

  /** The leg counts as lost: until a peer is heard again, or those that are reached couldn't be heard. */
  get deaf(): boolean {
    return this.#deaf;
  }

  /** Whether for some time nobody has heard anybody. */
  unheard(now: number): boolean {
    return now - this.#unheardSince >= UNHEARD_MS;
  }

  /** Since each peer was last heard; those that never were are missing. */
  ages(now: number): ReadonlyMap<string, number> {
    return new Map([...this.#heardAt].map(([peer, at]) => [peer, now - at]));
  }

  #hearing(peers: readonly PeerOnLeg[], now: number): LegHearing {
    return {
      listening: now - this.#listeningSince,
      heard: this.ages(now),
      peers: peers.filter(({ telling, lost }) => telling > 0 && !lost),
    };
  }

  /** While no peer can be reached, nothing is known to have changed: with the sync link cut a deaf node must not take back. */
  #mayBeHeard(peers: readonly PeerOnLeg[]): boolean {
    return peers.length === 0 || peers.some(({ telling, lost }) => telling > 0 && !lost);
  }
}
