import type { Logger } from '../system/log.ts';
import { DestroyedStates } from './destroyed-states.ts';
import type { AgentParts } from './parts.ts';
import type { Recalled } from './recalls.ts';
import { StatesWatch } from './states-watch.ts';
import { type Testimony, Witnesses } from './witnesses.ts';

/** What is missing within so many milliseconds of a recall is of what conntrackd was ordered to delete. */
const RECALLED_MS = 5000;

export interface StatesGuardHost {
  readonly owns: (bucket: number) => boolean;
  /** Whether states are being asked back from replicas. */
  readonly recalling: () => boolean;
  /** Many entries have gone at once. */
  readonly thinned: () => void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'debug'>;
}

/** Notices what others do to this node's states, and keeps it for `status`. */
export class StatesGuard {
  readonly destroyed: DestroyedStates;
  readonly witnesses: Witnesses;
  readonly #host: StatesGuardHost;
  readonly #lookForFlush: AgentParts['lookForFlush'];
  readonly #watch: StatesWatch;
  #recalledAt = Number.NEGATIVE_INFINITY;

  constructor(
    {
      find,
      endings,
      flowCount,
      lookForFlush,
    }: Pick<AgentParts, 'find' | 'endings' | 'flowCount' | 'lookForFlush'>,
    host: StatesGuardHost,
  ) {
    this.#host = host;
    this.#lookForFlush = lookForFlush;
    this.destroyed = new DestroyedStates(host.log);
    this.witnesses = new Witnesses({ owns: host.owns, find, endings });
    this.#watch = new StatesWatch({
      witnesses: this.witnesses,
      count: flowCount,
      vanished: (testimony) => this.#vanished(testimony),
      thinned: host.thinned,
      failed: (error) => host.log.debug(error instanceof Error ? error.message : String(error)),
    });
  }

  start(): void {
    this.#watch.start();
  }

  stop(): void {
    this.#watch.stop();
  }

  /** Replicas were asked for what conntrackd had been ordered to delete. @param owner whether this node owns anything */
  recalled(result: Recalled, owner: boolean): void {
    this.#recalledAt = performance.now();
    this.destroyed.flushed(result, owner);
  }

  /** What conntrackd was ordered to do is told by what came of asking the replicas. */
  async #vanished(testimony: Testimony): Promise<void> {
    await this.#lookForFlush();
    if (!this.#host.recalling() && performance.now() - this.#recalledAt >= RECALLED_MS) {
      this.destroyed.deleted(testimony);
    }
  }
}
