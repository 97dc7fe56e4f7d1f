import type { Decision } from '../cluster/verdict.ts';
import type { CommitStatus } from '../observe/status.ts';
import type { Commit, ExternalCache } from '../transitions/edges.ts';
import type { Step } from '../transitions/steps.ts';
import type { Chronicle } from './chronicle.ts';

export interface CommitsHost {
  readonly chronicle: Pick<Chronicle, 'begin' | 'done'>;
  /** Called before each step. */
  readonly reach: (step: Step) => void;
  /** Runs an action while no flow is touched and no copy deleted. */
  readonly hold: <T>(action: () => Promise<T>) => Promise<T>;
  /** It is over, with all that the cache held, also if no group waits for it any more. */
  readonly committed: () => void;
  /** The groups that waited for it can be activated. */
  readonly wake: () => void;
  readonly note: (level: 'info' | 'warn' | 'error', text: string) => void;
}

/** A round's decisions, with what can't be done yet put off. */
export interface Due {
  readonly decisions: readonly Decision[];
  /** When what is activated now was first due, if that was before this round (performance.now). */
  readonly began?: number | undefined;
}

/**
 * With `replicas: cache`: has the states committed before a bucket is activated. All groups that are to be activated share
 * one commit; there is never a second one beside it. Rounds go on meanwhile, so that a peer has its answers, and a group
 * that is no longer wanted isn't activated at its end.
 *
 * A commit that failed holds nothing up: who can't get the states serves without them, and says so.
 */
export class Commits {
  readonly #external: ExternalCache;
  readonly #host: CommitsHost;
  /** The groups that the commit under way is for. */
  #running: Set<string> | undefined;
  #ended: Promise<void> = Promise.resolve();
  #began = 0;
  /** What the commit for a group has done that waits to be activated. */
  readonly #done = new Map<string, string>();
  #last: CommitStatus | null = null;

  constructor(external: ExternalCache, host: CommitsHost) {
    this.#external = external;
    this.#host = host;
  }

  /** Puts off what has no commit yet, and begins one for it unless one is under way. */
  due(decisions: readonly Decision[]): Due {
    const wanted = new Map(
      decisions.filter(({ kind }) => kind === 'activate').map((decision) => [decision.group, decision]),
    );
    // Whoever owned it meanwhile has newer states.
    for (const group of [...this.#done.keys(), ...(this.#running ?? [])]) {
      if (!wanted.has(group)) {
        this.#done.delete(group);
        this.#running?.delete(group);
      }
    }
    const missing = [...wanted.values()].filter(({ group }) => !this.#done.has(group));
    if (missing.length > 0 && this.#running === undefined) {
      this.#begin(missing);
    }
    return {
      began: missing.length < wanted.size ? this.#began : undefined,
      decisions: decisions.map((decision) =>
        decision.kind === 'activate' ? this.#judge(decision) : decision,
      ),
    };
  }

  /** They are active: the next time they need another commit. */
  activated(groups: readonly string[]): void {
    for (const group of groups) {
      this.#done.delete(group);
    }
  }

  /** Whether states are being put into the kernel, or have been and wait there for their buckets. */
  get pending(): boolean {
    return this.#running !== undefined || this.#done.size > 0;
  }

  /** The last one; null: none since the agent started. */
  get last(): CommitStatus | null {
    return this.#last;
  }

  /** Resolves when none is under way. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  #judge(decision: Decision): Decision {
    const done = this.#done.get(decision.group);
    return done === undefined
      ? { ...decision, kind: 'stay', reason: `${decision.reason}; its states are being committed` }
      : { ...decision, reason: `${decision.reason}; ${done}` };
  }

  #begin(decisions: readonly Decision[]): void {
    const groups = new Set(decisions.map(({ group }) => group));
    this.#running = groups;
    this.#began = performance.now();
    for (const { group, reason } of decisions) {
      this.#host.chronicle.begin('takeover', group, reason);
    }
    this.#host.reach('takeover.commit');
    this.#ended = this.#host
      .hold(() => this.#external.commit())
      .then(
        (commit) => this.#succeeded(groups, commit),
        (error: unknown) => this.#failed(error),
      )
      .then((text) => {
        this.#running = undefined;
        for (const group of groups) {
          this.#done.set(group, text);
          this.#host.chronicle.done('takeover.commit', group);
        }
        this.#host.committed();
        this.#host.wake();
      });
  }

  #succeeded(groups: ReadonlySet<string>, { committed, refused, milliseconds }: Commit): string {
    const ms = Math.round(milliseconds * 10) / 10;
    this.#last = {
      at: new Date().toISOString(),
      groups: [...groups],
      committed: committed ?? null,
      refused: refused ?? null,
      ms,
      failure: null,
    };
    if (committed === undefined) {
      this.#host.note('warn', "committed, but conntrackd's log doesn't say how many states");
      return `committed in ${ms.toFixed(1)} ms`;
    }
    if (refused !== undefined && refused > 0) {
      this.#host.note('warn', `the kernel refused ${refused} states; conntrackd's log names them`);
    }
    return `committed ${committed} states, refused ${refused ?? 0}, in ${ms.toFixed(1)} ms`;
  }

  #failed(error: unknown): string {
    const failure = error instanceof Error ? error.message : String(error);
    const ms = Math.round(performance.now() - this.#began);
    const groups = [...(this.#running ?? [])];
    this.#last = { at: new Date().toISOString(), groups, committed: null, refused: null, ms, failure };
    this.#host.note('error', `the states were not committed: ${failure}`);
    return 'its states were not committed';
  }
}
