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

export interface WordsHost {
  readonly memory: Memory;
  readonly files: AgentFiles;
  /** Whether a manager decides: then the operator's word overrules it, and doesn't take its place. */
  readonly managed: boolean;
  /** Whether this agent stays. One that doesn't keeps nothing for the operator against the manager. */
  readonly resident: boolean;
  /** A word could not be kept for the next agent. */
  readonly failed: (error: unknown) => void;
}

/**
 * The managers' and the operator's words, in memory and in files: a restarted agent knows them. What the operator says
 * against a manager ends with the manager's next word about the group on this node, or when it has had its effect: when the
 * group that was taken is given up, when the group that was released has another owner.
 */
export class Words {
  readonly #groups: readonly Group[];
  readonly #host: WordsHost;
  /** When the last word about each group was said. */
  readonly #orders = new Map<string, WordOrder>();

  constructor(groups: readonly Group[], host: WordsHost) {
    this.#groups = groups;
    this.#host = host;
  }

  /** What an earlier agent of this node has heard. */
  recall(): void {
    const { memory, files, managed, resident } = this.#host;
    const now = performance.now();
    for (const { name } of this.#groups) {
      const wanted = files.readWanted(name, now);
      if (wanted !== undefined && !(managed && wanted.by === 'operator')) {
        memory.want(name, wanted);
        this.#orders.set(name, wanted.order);
      }
      const overruling = managed && resident ? files.readWanted(name, now, 'overruling') : undefined;
      if (overruling !== undefined) {
        memory.overrule(name, overruling);
        this.#orders.set(name, overruling.order);
      }
    }
    memory.drain(files.isDrained);
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
    const { memory, managed } = this.#host;
    const wanted = wantedBy(by, word, role, performance.now(), force);
    if (managed && by === 'operator') {
      memory.overrule(group, wanted);
      this.#keep((files) => files.keepWanted(group, wanted, order, 'overruling'));
      return true;
    }
    memory.want(group, wanted);
    if (by !== 'start') {
      this.#keep((files) => files.keepWanted(group, wanted, order));
      this.#follow(group);
    }
    return true;
  }

  /** The manager is gone. What the operator says against it stays: it ends with the next manager's first word. */
  managerGone(): void {
    for (const [group, wanted] of this.#host.memory.managerGone(performance.now())) {
      const order = this.#orders.get(group) ?? saidNow();
      this.#keep((files) => files.keepWanted(group, wanted, order));
    }
  }

  /** The operator has this node drained: what he took against the manager goes as well. */
  drained(): void {
    for (const [group, { role }] of [...this.#host.memory.overruling]) {
      if (role === 'owner') {
        this.#follow(group);
      }
    }
  }

  /** Groups were given up: without a manager the newest operator's word counts, wherever it was said. */
  givenUp({ decisions }: Change): void {
    const { memory, managed } = this.#host;
    for (const { group } of decisions) {
      if (!managed) {
        memory.forget(group);
        this.#keep((files) => files.forgetWanted(group));
      } else if (memory.overruling.get(group)?.role !== 'replica') {
        this.#follow(group);
      }
    }
  }

  /** Another owns what the operator released here: from now on the manager's word counts again. */
  ownedElsewhere(now: number): void {
    const { memory } = this.#host;
    for (const [group, { role }] of [...memory.overruling]) {
      if (role === 'replica' && memory.peers(now).some((peer) => peer.reachable && peer.owns.has(group))) {
        this.#follow(group);
      }
    }
  }

  #follow(group: string): void {
    this.#host.memory.overrule(group, undefined);
    this.#keep((files) => files.forgetWanted(group, 'overruling'));
  }

  /** A full disk must not cost a word that has been heard. */
  #keep(write: (files: AgentFiles) => void): void {
    try {
      write(this.#host.files);
    } catch (error) {
      this.#host.failed(error);
    }
  }
}

/** A word that comes without a process of its own counts as newer than those of all processes that have started. */
const saidNow = (): WordOrder => ({ ticks: uptimeTicks(), pid: Number.MAX_SAFE_INTEGER });
