import type { StandStill } from './stand-still.ts';

/** Between two statuses to the peers, and between two rounds at most. */
const TICK_MS = 100;
/** Between two beats of the heart that hooks and keepalived look at. */
const BEAT_MS = 500;

/** What is done in the agent's rhythm. */
export interface PulseHost {
  readonly standStill: Pick<StandStill, 'look'>;
  readonly tick: () => void;
  /** Midway between two ticks. */
  readonly midway: () => void;
  readonly beat: () => void;
  readonly stoodStill: (milliseconds: number, now: number) => void;
}

/** The agent's rhythm: its ticks, the beats of its heart, and that it had neither for a while. */
export class Pulse {
  readonly #host: PulseHost;
  #timer: NodeJS.Timeout | undefined;
  #halfTicks = 0;
  #beatAt = Number.NEGATIVE_INFINITY;

  constructor(host: PulseHost) {
    this.#host = host;
  }

  start(): void {
    this.#timer = setInterval(() => this.#halfTick(), TICK_MS / 2);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** To be called after every good round. */
  beat(): void {
    const now = performance.now();
    if (now - this.#beatAt >= BEAT_MS) {
      this.#beatAt = now;
      this.#host.beat();
    }
  }

  /** To be called before every round: whatever woke it may have waited with this process. */
  look(): void {
    const now = performance.now();
    const milliseconds = this.#host.standStill.look(now);
    if (milliseconds > 0) {
      // Before the first round, which may take long: a stand-in that was started meanwhile must not end this agent.
      this.beat();
      this.#host.stoodStill(milliseconds, now);
    }
  }

  #halfTick(): void {
    this.#halfTicks += 1;
    if (this.#halfTicks % 2 === 0) {
      this.look();
      this.#host.tick();
    } else {
      this.#host.midway();
    }
  }
}
