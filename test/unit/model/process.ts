import type { Clock } from './clock.ts';

/** A process of a simulated node: it can be killed and stopped, and then its timers and its input wait or are gone. */
export class Process {
  /** Whose code runs at this moment: `setTimeout` belongs to it. */
  static current: Process | undefined;
  readonly clock: Clock;
  readonly #failed: (error: unknown) => void;
  #alive = true;
  #paused = false;
  #timers: (() => void)[] = [];
  #input: (() => void)[] = [];

  constructor(clock: Clock, failed: (error: unknown) => void) {
    this.clock = clock;
    this.#failed = failed;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#paused;
  }

  kill(): void {
    this.#alive = false;
  }

  pause(): void {
    this.#paused = true;
  }

  /** Goes on: an event loop looks at its timers first, then at what has come in. */
  resume(): void {
    this.#paused = false;
    const due = [...this.#timers, ...this.#input];
    this.#timers = [];
    this.#input = [];
    for (const action of due) {
      this.input(0, action);
    }
  }

  timer(milliseconds: number, action: () => void): void {
    this.clock.after(milliseconds, () => this.#play(action, () => this.#timers));
  }

  /** Again and again; one that couldn't be played in time is played once. */
  interval(milliseconds: number, action: () => void): void {
    const play = (): void => {
      this.timer(milliseconds, play);
      action();
    };
    this.timer(this.clock.random() * milliseconds, play);
  }

  /** Something that comes from outside. */
  input(milliseconds: number, action: () => void): void {
    this.clock.after(milliseconds, () => this.#play(action, () => this.#input));
  }

  /** A call of the kernel's that takes so long; Infinity: the process doesn't see its end. */
  call(milliseconds: number): Promise<void> {
    this.clock.unsettled -= 1;
    return new Promise((resolve) => {
      if (milliseconds !== Number.POSITIVE_INFINITY) {
        this.input(milliseconds, () => {
          this.clock.unsettled += 1;
          resolve();
        });
      }
    });
  }

  /** Runs a chain of promises whose only waiting is for `call`. */
  async follow(chain: () => Promise<void>): Promise<void> {
    this.clock.unsettled += 1;
    try {
      await chain();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.clock.unsettled -= 1;
    }
  }

  /** Runs `action` as this process. */
  run<T>(action: () => T): T {
    const before = Process.current;
    Process.current = this;
    try {
      return action();
    } finally {
      Process.current = before;
    }
  }

  #play(action: () => void, waiting: () => (() => void)[]): void {
    if (!this.#alive) {
      return;
    }
    if (this.#paused) {
      waiting().push(action);
      return;
    }
    this.run(action);
  }
}
