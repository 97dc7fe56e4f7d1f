import type { Clock } from './clock.ts';

/** How bad the network is: shares of datagrams, and milliseconds. */
export interface Weather {
  readonly loss: number;
  readonly doubled: number;
  /** Each datagram takes up to this long. */
  readonly delay: number;
  /** Whether one may come before another that was sent earlier. */
  readonly overtaking: boolean;
}

export const FAIR: Weather = { loss: 0, doubled: 0, delay: 1, overtaking: false };

/** One path that all nodes share: the switch that carries VRRP, or the sync link. */
export class Path {
  weather: Weather = FAIR;
  readonly #clock: Clock;
  readonly #last = new Map<string, number>();
  readonly #cut = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  send(from: string, to: string, deliver: () => void): void {
    const { loss, doubled } = this.weather;
    if (!this.carries(from, to) || (loss > 0 && this.#clock.random() < loss)) {
      return;
    }
    this.#deliver(`${from}>${to}`, deliver);
    if (doubled > 0 && this.#clock.random() < doubled) {
      this.#deliver(`${from}>${to}`, deliver);
    }
  }

  #deliver(way: string, deliver: () => void): void {
    const { now } = this.#clock;
    const time = now + this.#clock.between(0.05, this.weather.delay);
    const last = this.weather.overtaking ? 0 : (this.#last.get(way) ?? 0);
    const arrival = Math.max(time, last);
    this.#last.set(way, arrival);
    this.#clock.after(arrival - now, deliver);
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
