import { type Warning, warningText } from '../cluster/warning.ts';
import type { Logger } from '../system/log.ts';
import type { Memory } from './memory.ts';

/** The data interfaces that carry nothing: what has changed is logged, the rest is the memory's. */
export class LostInterfaces {
  readonly #memory: Memory;
  readonly #log: Logger;
  readonly #returned: (name: string) => void;
  #warnings: readonly Warning[] = [];

  /** @param returned is told of each that carries again */
  constructor(memory: Memory, log: Logger, returned: (name: string) => void) {
    this.#memory = memory;
    this.#log = log;
    this.#returned = returned;
  }

  /** One for each that is lost now. */
  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** Those that are lost now, as the configuration names them, a sentence about each, and those of them that are deaf. */
  set(interfaces: readonly string[], reasons: readonly string[], deaf: readonly string[]): void {
    const before = this.#memory.lost;
    this.#memory.lose(interfaces, performance.now());
    const warnings = interfaces.map((name, index) => {
      const reason = reasons[index] ?? `${name} carries nothing`;
      return deaf.includes(name) ? deafTo(name, reason) : lost(name, reason);
    });
    const known = this.#warnings.map(({ text }) => text);
    for (const warning of warnings.filter(({ text }) => !known.includes(text))) {
      this.#log.warn(warningText(warning));
    }
    this.#warnings = warnings;
    for (const name of before.filter((name) => !interfaces.includes(name))) {
      this.#log.info(`${name} carries again`);
      this.#returned(name);
    }
  }
}

const lost = (name: string, reason: string): Warning => ({
  code: 'interface-lost',
  object: name,
  text: `${reason}: peers that have it take over what this node owns`,
});

const deafTo = (name: string, reason: string): Warning => ({
  code: 'leg-deaf',
  object: name,
  text: `${reason}, nor clients' packets, so peers take over what this node owns; see that the switch floods frames to that MAC to its port`,
});
