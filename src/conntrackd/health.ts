import type { Warning } from '../cluster/warning.ts';
import type { ConfigurationWatch } from './configuration-watch.ts';
import type { Control } from './control.ts';
import { ConntrackdAbsent, ConntrackdError, ConntrackdStuck, ConntrackdUnfit } from './errors.ts';
import { Flushes, type FlushMemory } from './flushes.ts';
import { identityOf } from './identity.ts';
import { parseRuntime } from './runtime.ts';
import { parseStatistics } from './statistics.ts';

const INTERVAL_MS = 1000;

/** `unfit`: it answers, but not as the configuration that `render conntrackd` prints makes it answer. */
export type HealthState = 'starting' | 'ok' | 'absent' | 'stuck' | 'unfit';

/** Whether it replicates, as far as is known. */
export const isFit = (state: HealthState): boolean => state === 'ok' || state === 'starting';

export interface HealthEvents {
  /** The state or the reason for it has changed; `text` says why, in one line. */
  readonly changed: (state: HealthState, text: string) => void;
  /** Something else is wrong, or something else than before. */
  readonly noted: (text: string) => void;
  /** The kernel has dropped events: flows may be missing in the internal cache and at the peer. */
  readonly lostEvents: (times: number) => void;
  /**
   * conntrackd has loaded the whole kernel table: the internal cache holds copies of the peer's flows. Not `fresh`: at some time
   * before the first look.
   */
  readonly loadedTable: (fresh: boolean) => void;
  /**
   * Somebody had it delete every flow of the kernel that it replicates, and nothing of that was sent. Not `fresh`: at some time
   * before the first look. What an agent before this one has dealt with isn't told.
   */
  readonly flushedTable: (fresh: boolean) => void;
  /** So many flows stand in its internal cache. Told at each look. */
  readonly cached: (flows: number) => void;
  /** The kernel has refused states of the peer: something stale stands in their way. */
  readonly refusedStates: (count: number) => void;
}

/** What is looked at besides what conntrackd answers. */
export interface HealthSurroundings {
  readonly configuration: Pick<ConfigurationWatch, 'look'>;
  /** The lock file that keeps conntrackd from starting, if there is one and nobody holds it, or `known` is still there. */
  readonly staleLock: (known: string) => string | undefined;
  readonly flushMemory: FlushMemory;
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
  readonly #surroundings: HealthSurroundings;
  readonly #events: HealthEvents;
  #timer: NodeJS.Timeout | undefined;
  #state: HealthState = 'starting';
  /** Why it is in that state. */
  #text = '';
  /** What of that text doesn't change from one look to the next while nothing has changed. */
  #reason = '';
  /** What is wrong with a conntrackd that is `ok`. */
  #note: string | undefined;
  #asking = false;
  readonly #flushes: Flushes;
  #counts: (Counts & { readonly identity: string | undefined }) | undefined;

  /** @param path of the control socket that `control` uses */
  constructor(path: string, control: Control, surroundings: HealthSurroundings, events: HealthEvents) {
    this.#path = path;
    this.#control = control;
    this.#surroundings = surroundings;
    this.#events = events;
    this.#flushes = new Flushes(surroundings.flushMemory, (fresh) => events.flushedTable(fresh));
  }

  /** Looks now, and once a second from now on. Whom it tells must be there. */
  begin(): void {
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS);
    void this.#look();
  }

  get state(): HealthState {
    return this.#state;
  }

  /** What an administrator should know of. */
  get warnings(): readonly Warning[] {
    if (this.#state !== 'ok') {
      const text = `conntrackd is ${this.#state}${this.#text && `: ${this.#text}`}`;
      return [{ code: `conntrackd-${this.#state}`, object: 'conntrackd', text }];
    }
    const text = this.#note;
    return text === undefined ? [] : [{ code: 'conntrackd-setting', object: 'conntrackd', text }];
  }

  /** Which conntrackd works on this node; undefined while none does, though a dead one's socket may be there. */
  async identity(): Promise<string | undefined> {
    return isFit(this.#state) ? identityOf(this.#path) : undefined;
  }

  /**
   * Asks at once whether it was ordered to delete the kernel's flows; `flushedTable` is told before this resolves. One that
   * doesn't answer has carried out no order.
   */
  async lookForFlush(): Promise<void> {
    try {
      const identity = await identityOf(this.#path);
      this.#flushes.count(identity, parseRuntime(await this.#control.send('runtime')).kernelFlushes);
    } catch (error) {
      if (!(error instanceof ConntrackdError)) throw error;
    }
  }

  /** What `flushedTable` has told of is dealt with: no later agent needs to hear of it. */
  flushDealtWith(): void {
    this.#flushes.dealtWith();
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
      const { netlinkOverruns, kernelResyncs, kernelFlushes } = parseRuntime(
        await this.#control.send('runtime'),
      );
      this.#flushes.count(identity, kernelFlushes);
      const statistics = await this.#control.send('statistics');
      this.#noteFault(
        await this.#surroundings.configuration.look(identity, statistics, () => this.#control.send('queue')),
      );
      const { external, internal } = parseStatistics(statistics);
      this.#events.cached(internal.active);
      const refused = external.created.failed + external.updated.failed;
      this.#count({ identity, overruns: netlinkOverruns, resyncs: kernelResyncs, refused });
      this.#become('ok', 'conntrackd answers');
    } catch (error) {
      this.#explain(error);
    } finally {
      this.#asking = false;
    }
  }

  /** What grew since the last look, or since the start of a conntrackd that is new. */
  #count(now: Counts & { readonly identity: string | undefined }): void {
    const fresh = this.#counts !== undefined;
    const before = this.#counts?.identity === now.identity ? this.#counts : undefined;
    this.#counts = now;
    if (now.resyncs > (before?.resyncs ?? 0)) {
      this.#events.loadedTable(fresh);
    }
    if (now.overruns > (before?.overruns ?? 0)) {
      this.#events.lostEvents(now.overruns - (before?.overruns ?? 0));
    }
    if (before !== undefined && now.refused > before.refused) {
      this.#events.refusedStates(now.refused - before.refused);
    }
  }

  /** @throws {ConntrackdUnfit} if it doesn't replicate as the cluster needs it */
  #noteFault(fault: Awaited<ReturnType<ConfigurationWatch['look']>>): void {
    const note = fault?.harmless ? fault.text : undefined;
    if (note !== this.#note) {
      this.#note = note;
      if (note !== undefined) {
        this.#events.noted(note);
      }
    }
    if (fault !== undefined && !fault.harmless) {
      throw new ConntrackdUnfit(fault.text);
    }
  }

  #explain(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof ConntrackdUnfit) {
      this.#become('unfit', text, text);
      return;
    }
    const lock = error instanceof ConntrackdAbsent ? this.#surroundings.staleLock(this.#reason) : undefined;
    if (lock !== undefined) {
      const mend = `none starts while the lock file is there that a killed one has left; rm ${lock}, and start it`;
      this.#become('absent', `no conntrackd listens on ${this.#path}, and ${mend}`, lock);
      return;
    }
    this.#become(stateOf(error), text);
  }

  #become(state: HealthState, text: string, reason = ''): void {
    const changed = state !== this.#state || reason !== this.#reason;
    this.#state = state;
    this.#text = text;
    this.#reason = reason;
    if (changed) {
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
