import type { Control } from './control.ts';
import { ConntrackdAbsent, ConntrackdStuck } from './errors.ts';
import { identityOf } from './identity.ts';
import { parseRuntime } from './runtime.ts';
import { parseStatistics } from './statistics.ts';

const INTERVAL_MS = 1000;

/** `unfit`: it answers, but not as the configuration that `render conntrackd` prints makes it answer. */
export type HealthState = 'starting' | 'ok' | 'absent' | 'stuck' | 'unfit';

export interface HealthEvents {
  /** The state has changed; `text` says why, in one line. */
  readonly changed: (state: HealthState, text: string) => void;
  /** The kernel has dropped events: flows may be missing in the internal cache and at the peer. */
  readonly lostEvents: (times: number) => void;
  /** conntrackd has loaded the whole kernel table: the internal cache holds copies of the peer's flows. */
  readonly loadedTable: () => void;
  /** The kernel has refused states of the peer: something stale stands in their way. */
  readonly refusedStates: (count: number) => void;
}

interface Counts {
  readonly overruns: number;
  readonly resyncs: number;
  readonly refused: number;
}

/** Asks conntrackd once a second how it fares, and tells what that means for the flows. */
export class Health {
  readonly #path: string;
  readonly #control: Control;
  readonly #events: HealthEvents;
  readonly #timer: NodeJS.Timeout;
  #state: HealthState = 'starting';
  #asking = false;
  #counts: (Counts & { readonly identity: string | undefined }) | undefined;

  /** @param path of the control socket that `control` uses */
  constructor(path: string, control: Control, events: HealthEvents) {
    this.#path = path;
    this.#control = control;
    this.#events = events;
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS);
    void this.#look();
  }

  get state(): HealthState {
    return this.#state;
  }

  /** Which conntrackd works on this node; undefined while none does, though a dead one's socket may be there. */
  async identity(): Promise<string | undefined> {
    return this.#state === 'ok' || this.#state === 'starting' ? identityOf(this.#path) : undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#asking) {
      return;
    }
    this.#asking = true;
    try {
      const identity = await identityOf(this.#path);
      const { netlinkOverruns, kernelResyncs } = parseRuntime(await this.#control.send('runtime'));
      const { external } = parseStatistics(await this.#control.send('statistics'));
      const refused = external.created.failed + external.updated.failed;
      this.#count({ identity, overruns: netlinkOverruns, resyncs: kernelResyncs, refused });
      this.#become('ok', 'conntrackd answers');
    } catch (error) {
      this.#become(stateOf(error), error instanceof Error ? error.message : String(error));
    } finally {
      this.#asking = false;
    }
  }

  /** What grew since the last look, or since the start of a conntrackd that is new. */
  #count(now: Counts & { readonly identity: string | undefined }): void {
    const before = this.#counts?.identity === now.identity ? this.#counts : undefined;
    this.#counts = now;
    if (now.resyncs > (before?.resyncs ?? 0)) {
      this.#events.loadedTable();
    }
    if (now.overruns > (before?.overruns ?? 0)) {
      this.#events.lostEvents(now.overruns - (before?.overruns ?? 0));
    }
    if (before !== undefined && now.refused > before.refused) {
      this.#events.refusedStates(now.refused - before.refused);
    }
  }

  #become(state: HealthState, text: string): void {
    if (state !== this.#state) {
      this.#state = state;
      this.#events.changed(state, text);
    }
  }
}

const stateOf = (error: unknown): HealthState => {
  if (error instanceof ConntrackdStuck) {
    return 'stuck';
  }
  return error instanceof ConntrackdAbsent ? 'absent' : 'unfit';
};
