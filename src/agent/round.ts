import { type Decision, decide } from '../cluster/decide.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import type { OwnedSet } from '../transitions/edges.ts';
import type { Memory } from './memory.ts';

/** What a round acts on besides the kernel's set. */
export interface RoundHost {
  readonly memory: Memory;
  readonly owned: OwnedSet;
  readonly manager: () => Snapshot['manager'];
  /** Runs an action while no flow is touched. */
  readonly hold: <T>(action: () => Promise<T>) => Promise<T>;
  readonly ask: (group: string, peer: string, synced: boolean) => void;
  readonly answer: (group: string, granted: boolean, reason: string) => void;
  /** After the kernel has changed. */
  readonly activated: (change: Change) => void;
  readonly deactivated: (change: Change) => void;
}

/** Groups that changed hands in one transaction. */
export interface Change {
  readonly decisions: readonly Decision[];
  /** From the decision to the kernel's acknowledgement. */
  readonly milliseconds: number;
}

export interface Round {
  readonly snapshot: Snapshot;
  readonly decisions: readonly Decision[];
  /** Whether anything was done: then what was seen is no longer true, and another round is due. */
  readonly acted: boolean;
}

/**
 * One round of the loop: see, decide, act. What is given up goes first and is answered only after the kernel has closed,
 * so that a bucket never has two owners; then what is taken opens in one transaction.
 */
export const playRound = async (host: RoundHost, now: number, judge = decide): Promise<Round> => {
  const owned = await host.owned.read();
  const snapshot = host.memory.snapshot(owned, host.manager(), now);
  const decisions = judge(snapshot);
  const of = (...kinds: readonly Decision['kind'][]): readonly Decision[] =>
    decisions.filter(({ kind }) => kinds.includes(kind));
  await giveUp(host, snapshot, of('deactivate', 'yield'));
  for (const decision of of('grant', 'refuse', 'yield')) {
    host.answer(decision.group, decision.kind !== 'refuse', decision.reason);
  }
  for (const { group, peer } of of('ask')) {
    const view = snapshot.groups.find(({ name }) => name === group);
    host.ask(group, peer ?? '', view?.synced ?? false);
  }
  await take(host, snapshot, of('activate'));
  return { snapshot, decisions, acted: decisions.some(({ kind }) => kind !== 'stay') };
};

const giveUp = async (host: RoundHost, snapshot: Snapshot, decisions: readonly Decision[]): Promise<void> => {
  if (decisions.length === 0) {
    return;
  }
  const began = performance.now();
  await host.hold(async () => {
    await host.owned.change({ add: [], remove: bucketsOf(snapshot, decisions) });
    for (const { group, peer } of decisions) {
      host.memory.changed(group, performance.now(), peer);
    }
  });
  host.deactivated({ decisions, milliseconds: performance.now() - began });
};

const take = async (host: RoundHost, snapshot: Snapshot, decisions: readonly Decision[]): Promise<void> => {
  if (decisions.length === 0) {
    return;
  }
  const began = performance.now();
  await host.owned.change({ add: bucketsOf(snapshot, decisions), remove: [] });
  const milliseconds = performance.now() - began;
  for (const { group } of decisions) {
    host.memory.changed(group, performance.now());
  }
  host.activated({ decisions, milliseconds });
};

const bucketsOf = (snapshot: Snapshot, decisions: readonly Decision[]): readonly number[] =>
  snapshot.groups
    .filter((group) => decisions.some((decision) => decision.group === group.name))
    .flatMap((group) => group.buckets);
