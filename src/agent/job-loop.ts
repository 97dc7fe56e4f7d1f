import { setTimeout as delay } from 'node:timers/promises';

const RETRY_MS = 500;
/** How often whoever is held looks whether he still is, if nobody wakes him. */
const HELD_MS = 100;

export interface JobLoopHost {
  /**
   * Does the most urgent thing that is due; stops at its next batch once `signal` is aborted. Returns for how many
   * milliseconds nothing else is due.
   */
  readonly work: (signal: AbortSignal) => Promise<number>;
  /** Whether the job under way does nothing at this moment that an action must not meet: then it isn't waited for. */
  readonly harmless: () => boolean;
  /** A job has failed; it is tried again. */
  readonly failed: (error: unknown) => void;
  readonly succeeded: () => void;
}

/** Does one job after another, each chosen anew, and lets itself be interrupted and held. */
export class JobLoop {
  readonly #host: JobLoopHost;
  #job: AbortController | undefined;
  #running: Promise<void> | undefined;
  #settled: Promise<void> = Promise.resolve();
  #stopped = false;
  #held = 0;
  #wake: (() => void) | undefined;

  constructor(host: JobLoopHost) {
    this.#host = host;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends the job under way and begins no other. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.interrupt();
    await this.#running;
  }

  /** Looks at once for what is due now. */
  wake(): void {
    this.#wake?.();
  }

  /** Ends the job under way: something more urgent is due. */
  interrupt(): void {
    this.#job?.abort();
    this.#wake?.();
  }

  /**
   * Runs `action` while no job does harm to it: ends the one under way, waits until its last batch is through, and begins no
   * other.
   */
  async hold<T>(action: () => Promise<T>): Promise<T> {
    this.#held += 1;
    this.#job?.abort();
    try {
      if (!this.#host.harmless()) {
        await this.#settled;
      }
      return await action();
    } finally {
      this.#held -= 1;
      this.#wake?.();
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const wait = this.#held > 0 ? HELD_MS : await this.#runOne();
      if (wait > 0 && !this.#stopped) {
        await this.#sleep(wait);
      }
    }
  }

  /** Returns for how long nothing is due. */
  async #runOne(): Promise<number> {
    const job = new AbortController();
    this.#job = job;
    let done: () => void = () => {};
    this.#settled = new Promise((resolve) => {
      done = resolve;
    });
    try {
      const wait = await this.#host.work(job.signal);
      this.#host.succeeded();
      return wait;
    } catch (error) {
      if (job.signal.aborted) {
        return 0;
      }
      this.#host.failed(error);
      return RETRY_MS;
    } finally {
      this.#job = undefined;
      done();
    }
  }

  async #sleep(milliseconds: number): Promise<void> {
    const sleep = new AbortController();
    this.#wake = () => sleep.abort();
    await delay(milliseconds, undefined, { signal: sleep.signal }).catch(() => {});
    this.#wake = undefined;
  }
}
