import { decide } from '../cluster/decide.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import type { Decision } from '../cluster/verdict.ts';
import type { OwnedSet } from '../transitions/edges.ts';
import type { Step } from '../transitions/steps.ts';
import type { Chronicle } from './chronicle.ts';
import type { Due } from './commits.ts';
import type { Memory } from './memory.ts';

/** What a round acts on besides the kernel's set. */
export interface RoundHost {
  readonly memory: Memory;
  readonly owned: OwnedSet;
  readonly manager: () => Snapshot['manager'];
  readonly chronicle: Chronicle;
  /** Called before each step. */
  readonly reach: (step: Step) => void;
  /** Runs an action while no flow is touched. */
  readonly hold: <T>(action: () => Promise<T>) => Promise<T>;
  /** With `replicas: cache`: puts off what has its states not in the kernel yet. */
  readonly due: (decisions: readonly Decision[]) => Due;
  /** With `replicas: cache`: waits, for a bounded time, until what happened to the flows of this node has left for the peer. */
  readonly sent?: (() => Promise<unknown>) | undefined;
  readonly ask: (group: string, peer: string, synced: boolean) => void;
  readonly answer: (group: string, granted: boolean, reason: string) => void;
  /** At once after the kernel has changed, before anything else is done. */
  readonly changed: (groups: readonly string[], active: boolean) => void;
  /** What follows from it, after a peer has had its answer. */
  readonly activated: (change: Change) => void;
  readonly deactivated: (change: Change) => void;
}

/** Groups that changed hands in one transaction. */
export interface Change {
  readonly decisions: readonly Decision[];
  /** From the decision to the kernel's acknowledgement, a commit in between included. */
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
  const { decisions, began } = host.due(judge(snapshot));
  const of = (...kinds: readonly Decision['kind'][]): readonly Decision[] =>
    decisions.filter(({ kind }) => kinds.includes(kind));
  const closed = await close(host, snapshot, of('deactivate', 'yield'));
  await send(host, of('yield'));
  answer(host, of('grant', 'refuse', 'yield'));
  if (closed !== undefined) {
    host.deactivated(closed);
  }
  for (const { group, peer, reason } of of('ask')) {
    const view = snapshot.groups.find(({ name }) => name === group);
    host.chronicle.begin('takeover', group, reason);
    host.reach('takeover.ask');
    host.ask(group, peer ?? '', view?.synced ?? false);
    host.chronicle.done('takeover.ask', group);
  }
  await open(host, snapshot, of('activate'), began);
  return { snapshot, decisions, acted: decisions.some(({ kind }) => kind !== 'stay') };
};

const close = async (
  host: RoundHost,
  snapshot: Snapshot,
  decisions: readonly Decision[],
): Promise<Change | undefined> => {
  if (decisions.length === 0) {
    return undefined;
  }
  const began = performance.now();
  for (const { group, reason } of decisions) {
    host.chronicle.overtaken('takeover', group);
    host.chronicle.begin('release', group, reason);
  }
  host.reach('release.hold');
  await host.hold(async () => {
    note(host, 'release.hold', decisions);
    host.reach('release.deactivate');
    await host.owned.change({ add: [], remove: bucketsOf(snapshot, decisions) });
    for (const { group, peer } of decisions) {
      host.memory.changed(group, performance.now(), peer);
    }
    host.changed(namesOf(decisions), false);
  });
  note(host, 'release.deactivate', decisions);
  return { decisions, milliseconds: performance.now() - began };
};

/** Who asks commits what it has: that must be all. */
const send = async (host: RoundHost, decisions: readonly Decision[]): Promise<void> => {
  if (host.sent !== undefined && decisions.length > 0) {
    host.reach('release.send');
    await host.sent();
    note(host, 'release.send', decisions);
  }
};

const answer = (host: RoundHost, decisions: readonly Decision[]): void => {
  for (const { group, kind, reason } of decisions) {
    if (kind === 'yield') {
      host.reach('release.answer');
    }
    host.answer(group, kind !== 'refuse', reason);
    host.chronicle.done('release.answer', group);
  }
};

const open = async (
  host: RoundHost,
  snapshot: Snapshot,
  decisions: readonly Decision[],
  began = performance.now(),
): Promise<void> => {
  if (decisions.length === 0) {
    return;
  }
  host.reach('takeover.activate');
  await host.owned.change({ add: bucketsOf(snapshot, decisions), remove: [] });
  const milliseconds = performance.now() - began;
  for (const { group, reason } of decisions) {
    host.memory.changed(group, performance.now());
    host.chronicle.overtaken('release', group);
    host.chronicle.begin('takeover', group, reason);
    host.chronicle.done('takeover.activate', group, reason);
  }
  host.changed(namesOf(decisions), true);
  host.activated({ decisions, milliseconds });
};

const note = (host: RoundHost, step: Step, decisions: readonly Decision[]): void => {
  for (const { group } of decisions) {
    host.chronicle.done(step, group);
  }
};

const namesOf = (decisions: readonly Decision[]): readonly string[] => decisions.map(({ group }) => group);

const bucketsOf = (snapshot: Snapshot, decisions: readonly Decision[]): readonly number[] =>
  snapshot.groups
    .filter((group) => decisions.some((decision) => decision.group === group.name))
    .flatMap((group) => group.buckets);
