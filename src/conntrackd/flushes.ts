/** What outlives an agent. */
export interface FlushMemory {
  readonly read: () => string | undefined;
  readonly write: (text: string) => void;
}

interface Count {
  /** Of the conntrackd that has counted. */
  readonly identity: string | undefined;
  readonly times: number;
}

/**
 * How often conntrackd was ordered to delete the flows of the kernel: it counts from its start, and so tells of orders from weeks
 * ago as well. What an agent has dealt with is no news for the next one.
 */
export class Flushes {
  readonly #memory: FlushMemory;
  readonly #told: (fresh: boolean) => void;
  #seen: Count | undefined;

  /** @param told of more than before; not `fresh`: ordered at some time before the first count */
  constructor(memory: FlushMemory, told: (fresh: boolean) => void) {
    this.#memory = memory;
    this.#told = told;
  }

  count(identity: string | undefined, times: number): void {
    const fresh = this.#seen !== undefined;
    const before = this.#seen ?? countIn(this.#memory.read());
    const known = before?.identity === identity ? (before?.times ?? 0) : 0;
    // Of two questions under way the older may be answered last.
    this.#seen = { identity, times: Math.max(times, known) };
    if (times > known) {
      this.#told(fresh);
    }
  }

  /** All that was told is dealt with. */
  dealtWith(): void {
    if (this.#seen?.identity !== undefined) {
      this.#memory.write(`${this.#seen.identity} ${this.#seen.times}\n`);
    }
  }
}

/** Undefined for what no agent has written. */
const countIn = (text: string | undefined): Count | undefined => {
  const groups = /^(?<identity>\S+) (?<times>\d+)\n$/.exec(text ?? '')?.groups;
  return groups && { identity: groups['identity'], times: Number(groups['times']) };
};
