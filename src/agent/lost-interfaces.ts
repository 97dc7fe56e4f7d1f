import type { Logger } from '../system/log.ts';
import type { Memory } from './memory.ts';

/** The data interfaces that carry nothing: what has changed is logged, the rest is the memory's. */
export class LostInterfaces {
  readonly #memory: Memory;
  readonly #log: Logger;
  readonly #returned: (name: string) => void;
  #reasons: readonly string[] = [];

  /** @param returned is told of each that carries again */
  constructor(memory: Memory, log: Logger, returned: (name: string) => void) {
    this.#memory = memory;
    this.#log = log;
    this.#returned = returned;
  }

  /** A sentence about each that is lost now. */
  get reasons(): readonly string[] {
    return this.#reasons;
  }

  /** Those that are lost now, as the configuration names them, and a sentence about each. */
  set(interfaces: readonly string[], reasons: readonly string[]): void {
    const before = this.#memory.lost;
    this.#memory.lose(interfaces, performance.now());
    for (const reason of reasons.filter((reason) => !this.#reasons.includes(reason))) {
      this.#log.warn(reason);
    }
    this.#reasons = reasons;
    for (const name of before.filter((name) => !interfaces.includes(name))) {
      this.#log.info(`${name} carries again`);
      this.#returned(name);
    }
  }
}
