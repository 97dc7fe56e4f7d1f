import type { GroupView, Snapshot } from './snapshot.ts';

/** Whether the manager may prefer this node as a group's owner, and why. */
export interface Readiness {
  readonly group: string;
  readonly ready: boolean;
  readonly reason: string;
}

/**
 * An owner is ready; a replica is when it holds the states of the owner; where nobody owns the group there is nothing
 * to hold, but only a node that sees every peer can know that. Pure.
 */
export const readiness = (snapshot: Snapshot): readonly Readiness[] =>
  snapshot.groups.map((group) => ({ group: group.name, ...readinessOf(snapshot, group) }));

const readinessOf = (snapshot: Snapshot, group: GroupView): Omit<Readiness, 'group'> => {
  if (group.active === group.buckets.length) {
    return { ready: true, reason: 'owns it' };
  }
  const owner = snapshot.peers.find((peer) => peer.reachable && peer.owns.has(group.name));
  if (owner !== undefined) {
    return group.synced
      ? { ready: true, reason: `holds the states of ${owner.name}` }
      : { ready: false, reason: `doesn't hold the states of ${owner.name} yet` };
  }
  const unseen = snapshot.peers.filter((peer) => !peer.reachable);
  return unseen.length === 0
    ? { ready: true, reason: 'nobody owns it' }
    : { ready: false, reason: `${unseen.map((peer) => peer.name).join(', ')} may own it and doesn't answer` };
};
