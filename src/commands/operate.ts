import { setTimeout as delay } from 'node:timers/promises';
import type { Agent } from '../agent/agent.ts';
import type { Group } from '../cluster/groups.ts';
import type { ClusterConfig } from '../config/types.ts';

/** What became of one group of a `takeover` or `release`. */
export interface Outcome {
  readonly group: string;
  /** `refused`: nothing was tried; `failed`: it was, and did not come about in time. */
  readonly outcome: 'done' | 'nothing to do' | 'refused' | 'failed';
  readonly reason: string;
}

const LONGEST_MS = 5000;
const WORDS = { owner: 'takeover', replica: 'release' } as const;

/** Carries out `takeover` in the agent: the operator is the manager then. Waits until each group is this node's. */
export const takeOver = async (
  agent: Agent,
  config: ClusterConfig,
  groups: readonly Group[],
  force: boolean,
): Promise<readonly Outcome[]> => {
  const outcomes = new Map<string, Outcome>();
  for (const { name } of groups) {
    const refusal = refuseTakeover(agent, config, name, force);
    if (refusal !== undefined) {
      outcomes.set(name, refusal);
    } else {
      agent.want(name, WORDS.owner, 'owner', 'operator', { force });
    }
  }
  await settle(agent, groups, outcomes, 'owner', 'operator says takeover');
  return [...outcomes.values()];
};

/** Carries out `release` in the agent. */
export const release = async (
  agent: Agent,
  config: ClusterConfig,
  groups: readonly Group[],
  force: boolean,
): Promise<readonly Outcome[]> => {
  const outcomes = new Map<string, Outcome>();
  for (const { name } of groups) {
    const refusal = refuseRelease(agent, config, name, force);
    if (refusal !== undefined) {
      outcomes.set(name, refusal);
    } else {
      agent.want(name, WORDS.replica, 'replica', 'operator', { force });
    }
  }
  await settle(agent, groups, outcomes, 'replica', 'operator says release');
  return [...outcomes.values()];
};

const refuseTakeover = (
  agent: Agent,
  config: ClusterConfig,
  name: string,
  force: boolean,
): Outcome | undefined => {
  const group = agent.round?.snapshot.groups.find((view) => view.name === name);
  if (group === undefined) {
    return refused(name, 'the agent has not looked at the kernel yet; try again');
  }
  if (group.active === group.buckets.length) {
    return { group: name, outcome: 'nothing to do', reason: 'this node owns it already' };
  }
  if (force) {
    return undefined;
  }
  if (config.manager !== 'none') {
    return refused(name, `${config.manager} decides who owns it; --force overrules it until its next word`);
  }
  const owner = agent.status().groups.find((status) => status.name === name)?.owner;
  return owner && !group.synced
    ? refused(
        name,
        `this node doesn't hold the states of ${owner} yet: its flows would be lost; wait, or --force`,
      )
    : undefined;
};

const refuseRelease = (
  agent: Agent,
  config: ClusterConfig,
  name: string,
  force: boolean,
): Outcome | undefined => {
  const snapshot = agent.round?.snapshot;
  const group = snapshot?.groups.find((view) => view.name === name);
  if (snapshot === undefined || group === undefined) {
    return refused(name, 'the agent has not looked at the kernel yet; try again');
  }
  if (group.active === 0) {
    return { group: name, outcome: 'nothing to do', reason: 'this node does not own it' };
  }
  if (force) {
    return undefined;
  }
  if (config.manager !== 'none') {
    return refused(name, `${config.manager} decides who owns it; --force overrules it until its next word`);
  }
  const heir = snapshot.peers.find((peer) => peer.reachable && (peer.owns.has(name) || peer.wants.has(name)));
  const other = group.order.find((node) => node !== snapshot.node) ?? 'the other node';
  return heir === undefined
    ? refused(name, `nobody else would own it; run "conntrack-ha takeover ${name}" on ${other}, or --force`)
    : undefined;
};

/** Waits until each group without an outcome has `role` here, and gives it one; `reason` is that of those that have. */
export const settle = async (
  agent: Agent,
  groups: readonly Group[],
  outcomes: Map<string, Outcome>,
  role: 'owner' | 'replica',
  done: string,
): Promise<void> => {
  const end = performance.now() + LONGEST_MS;
  for (;;) {
    await agent.wake();
    const open = groups.filter(({ name }) => !outcomes.has(name));
    for (const { name } of open) {
      const view = agent.round?.snapshot.groups.find((group) => group.name === name);
      const reason = agent.round?.decisions.find(({ group }) => group === name)?.reason ?? '';
      const owns = view !== undefined && view.active === view.buckets.length;
      if (view !== undefined && owns === (role === 'owner') && (owns || view.active === 0)) {
        outcomes.set(name, { group: name, outcome: 'done', reason: done });
      } else if (performance.now() >= end && !agent.committing) {
        outcomes.set(name, { group: name, outcome: 'failed', reason });
      }
    }
    if (open.length === 0) {
      return;
    }
    await Promise.race([agent.nextRound(), delay(50)]);
  }
};

export const refused = (group: string, reason: string): Outcome => ({ group, outcome: 'refused', reason });
