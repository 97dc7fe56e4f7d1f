import type { Group } from '../cluster/groups.ts';
import type { Role, Wanted } from '../cluster/snapshot.ts';
import { isOlder, type WordOrder } from '../cluster/word-order.ts';
import { uptimeTicks } from '../system/process-start.ts';
import type { AgentFiles } from './files.ts';
import { type Memory, wantedBy } from './memory.ts';
import type { Change } from './round.ts';

export interface WordOptions {
  readonly force?: boolean;
  /** When it was said; by default now. */
  readonly order?: WordOrder;
}

/** The managers' and the operator's words, kept in files before anything is done: a restarted agent knows them. */
export class Words {
  readonly #groups: readonly Group[];
  readonly #memory: Memory;
  readonly #files: AgentFiles;
  /** When the last word about each group was said. */
  readonly #orders = new Map<string, WordOrder>();

  constructor(groups: readonly Group[], memory: Memory, files: AgentFiles) {
    this.#groups = groups;
    this.#memory = memory;
    this.#files = files;
  }

  /** What an earlier agent of this node has heard. */
  recall(): void {
    for (const { name } of this.#groups) {
      const wanted = this.#files.readWanted(name, performance.now());
      if (wanted !== undefined) {
        this.#memory.want(name, wanted);
        this.#orders.set(name, wanted.order);
      }
    }
    this.#memory.drain(this.#files.isDrained);
  }

  /** A word for a group. One that was said before the last that was heard is too late. Returns whether it counts. */
  hear(
    group: string,
    word: string,
    role: Role,
    by: Wanted['by'],
    { force = false, order = saidNow() }: WordOptions,
  ): boolean {
    const last = this.#orders.get(group);
    if (last !== undefined && isOlder(order, last)) {
      return false;
    }
    this.#orders.set(group, order);
    const wanted = wantedBy(by, word, role, performance.now(), force);
    if (by !== 'start') {
      this.#files.keepWanted(group, wanted, order);
    }
    this.#memory.want(group, wanted);
    return true;
  }

  /** Groups were given up: the newest operator's word counts, wherever it was said, and without a manager any word. */
  givenUp({ decisions }: Change, withManager: boolean): void {
    for (const { group, kind } of decisions) {
      if (!withManager || (kind === 'yield' && this.#memory.isOperators(group))) {
        this.#memory.forget(group);
        this.#files.forgetWanted(group);
      }
    }
  }
}

/** A word that comes without a process of its own counts as newer than those of all processes that have started. */
const saidNow = (): WordOrder => ({ ticks: uptimeTicks(), pid: Number.MAX_SAFE_INTEGER });
