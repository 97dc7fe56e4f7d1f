import type { Agent } from '../agent/agent.ts';
import type { Group } from '../cluster/groups.ts';
import type { GroupView, Snapshot } from '../cluster/snapshot.ts';
import type { ClusterConfig } from '../config/types.ts';
import { type Outcome, refused, settle, takeOver } from './operate.ts';

/** Carries out `drain` in the agent: has the manager give everything that this node owns to a peer that holds the states. */
export const drain = async (
  agent: Agent,
  config: ClusterConfig,
  groups: readonly Group[],
  force: boolean,
): Promise<readonly Outcome[]> => {
  const snapshot = agent.round?.snapshot;
  const owned = snapshot?.groups.filter(({ active }) => active > 0) ?? [];
  if (config.manager === 'none') {
    return owned.map(({ name }) =>
      refused(name, `no manager moves it; run "conntrack-ha takeover ${name}" on the node that shall own it`),
    );
  }
  const orphans = owned.filter((group) => snapshot === undefined || heirOf(snapshot, group) === undefined);
  if (orphans.length > 0 && !force) {
    return orphans.map(({ name }) =>
      refused(
        name,
        'no peer that answers holds its states and has a manager that runs; wait for one, or --force',
      ),
    );
  }
  agent.drain(true);
  const outcomes = new Map<string, Outcome>();
  // Who is the last that can serve goes on serving.
  for (const { name } of orphans) {
    outcomes.set(name, { group: name, outcome: 'done', reason: 'it goes as soon as a peer can own it' });
  }
  const moved = groups.filter(({ name }) => owned.some((group) => group.name === name));
  await settle(agent, moved, outcomes, 'replica', 'drained');
  return [...outcomes.values()];
};

/** Carries out `resume`: this node is ready again, and the manager gives it its home groups. */
export const resume = async (
  agent: Agent,
  config: ClusterConfig,
  home: readonly Group[],
  force: boolean,
): Promise<readonly Outcome[]> => {
  if (config.manager === 'none') {
    return takeOver(agent, config, home, force);
  }
  agent.drain(false);
  const outcomes = new Map<string, Outcome>();
  await settle(agent, home, outcomes, 'owner', 'resumed');
  return [...outcomes.values()];
};

const heirOf = (snapshot: Snapshot, group: GroupView): string | undefined =>
  snapshot.peers.find((peer) => peer.reachable && peer.managerAlive && peer.synced.has(group.name))?.name;
