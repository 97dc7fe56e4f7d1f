import type { Clock } from './clock.ts';

/** How bad the network is: shares of datagrams, and milliseconds. */
export interface Weather {
  readonly loss: number;
  readonly doubled: number;
  /** Each datagram takes up to this long, so they overtake each other. */
  readonly delay: number;
}

export const FAIR: Weather = { loss: 0, doubled: 0, delay: 1 };

/** One path that all nodes share: the switch that carries VRRP, or the sync link. */
export class Path {
  weather: Weather = FAIR;
  readonly #clock: Clock;
  readonly #cut = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  send(from: string, to: string, deliver: () => void): void {
    const { loss, doubled, delay } = this.weather;
    if (!this.carries(from, to) || (loss > 0 && this.#clock.random() < loss)) {
      return;
    }
    this.#clock.after(this.#clock.between(0.05, delay), deliver);
    if (doubled > 0 && this.#clock.random() < doubled) {
      this.#clock.after(this.#clock.between(0.05, delay), deliver);
    }
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(from: string, to: string): void {
    this.#cut.delete(`${from}>${to}`);
  }

  /** In this direction. */
  carries(from: string, to: string): boolean {
    return !this.#cut.has(`${from}>${to}`);
  }

  get whole(): boolean {
    return this.#cut.size === 0;
  }
}
