import type { GroupView, Snapshot } from './snapshot.ts';

/** Whether the manager may prefer this node as a group's owner, and why. */
export interface Readiness {
  readonly group: string;
  readonly ready: boolean;
  readonly reason: string;
  /** Whether a node that can be seen owns it: this one or a peer. */
  readonly served: boolean;
}

/**
 * Milliseconds for which an owner's silence doesn't count against those that held its states. Its agent may be dead and it
 * serve on: keepalived notices that after up to 4 s (hooks/keepalived-check), and then needs somebody to prefer.
 */
const SILENCE_MS = 10_000;

/** Milliseconds after which an agent that has just begun knows whether packets come in on each leg (leg-hearing.ts). */
const PROVEN_MS = 2000;

/**
 * An owner is ready; a replica is when it holds the states of the owner, or when that has lost more interfaces and nobody
 * who holds its states has not; where nobody owns the group there is nothing to hold, but only a node that sees every peer can
 * know that. A replica whose agent has just begun waits until it knows whether packets come in. Neither is ready while the operator has drained this node, or while a peer that could own the group has fewer
 * interfaces that carry nothing (the same loss everywhere, a switch that restarts, changes nothing) or has the room in its
 * connection table that this node lacks. Who is alone is ready all the same. Pure.
 */
export const readiness = (snapshot: Snapshot): readonly Readiness[] =>
  snapshot.groups.map((group) => ({
    group: group.name,
    served: group.active > 0 || snapshot.peers.some((peer) => peer.reachable && peer.owns.has(group.name)),
    ...readinessOf(snapshot, group),
  }));

/** The same for one group. */
export const readinessOf = (snapshot: Snapshot, group: GroupView): Pick<Readiness, 'ready' | 'reason'> => {
  if (snapshot.drained) {
    return { ready: false, reason: 'drained by the operator' };
  }
  const better = betterConnected(snapshot, group);
  if (better !== undefined) {
    return { ready: false, reason: `${[...snapshot.lost].join(', ')} is lost here and not on ${better}` };
  }
  const roomier = hasRoom(snapshot, group);
  if (roomier !== undefined) {
    const reason = `the connection table here has no room for what the nodes hold, and that of ${roomier} has`;
    return { ready: false, reason };
  }
  if (group.active === group.buckets.length) {
    return { ready: true, reason: 'owns it' };
  }
  const owner = snapshot.peers.find((peer) => peer.reachable && peer.owns.has(group.name));
  if (owner !== undefined) {
    const onlyHope = isOnlyHope(snapshot, group);
    if (group.synced && (onlyHope || snapshot.listening >= PROVEN_MS)) {
      return { ready: true, reason: `holds the states of ${owner.name}` };
    }
    if (onlyHope) {
      return {
        ready: true,
        reason: `${owner.name} has lost ${[...owner.lost].join(', ')} and serves nobody`,
      };
    }
    return group.synced
      ? { ready: false, reason: "doesn't know yet whether packets come in here" }
      : { ready: false, reason: `doesn't hold the states of ${owner.name} yet` };
  }
  const silent = snapshot.peers.find((peer) => peer.silent < SILENCE_MS && peer.owns.has(group.name));
  if (silent !== undefined && group.synced) {
    return { ready: true, reason: `held the states of ${silent.name} when that fell silent` };
  }
  const unseen = snapshot.peers.filter((peer) => !peer.reachable);
  return unseen.length === 0
    ? { ready: true, reason: 'nobody owns it' }
    : { ready: false, reason: `${unseen.map((peer) => peer.name).join(', ')} may own it and doesn't answer` };
};

/** A peer that could own the group and has fewer lost interfaces; after a while also one that misses states of it. */
const betterConnected = (snapshot: Snapshot, group: GroupView): string | undefined =>
  snapshot.peers.find(
    (peer) =>
      peer.reachable &&
      peer.lost.size < snapshot.lost.size &&
      (peer.synced.has(group.name) || snapshot.lostFor >= snapshot.timeouts.disagree),
  )?.name;

/**
 * A peer that could own the group and has the room that this node lacks. An owner gives it up only to one whose table isn't even
 * filling: what the nodes hold is much the same on each, and the group would soon come back.
 */
const hasRoom = (snapshot: Snapshot, group: GroupView): string | undefined => {
  const { lack, fill } = snapshot.tables;
  return !lack.has(snapshot.node)
    ? undefined
    : snapshot.peers.find(
        (peer) =>
          peer.reachable &&
          peer.managerAlive &&
          !peer.drained &&
          peer.lost.size <= snapshot.lost.size &&
          (peer.owns.has(group.name) || peer.synced.has(group.name)) &&
          !lack.has(peer.name) &&
          (group.active === 0 || !fill.has(peer.name)),
      )?.name;
};

/** Whether this node is better connected than everybody who owns the group or holds its states. */
const isOnlyHope = (snapshot: Snapshot, group: GroupView): boolean =>
  snapshot.peers
    .filter((peer) => peer.reachable && (peer.owns.has(group.name) || peer.synced.has(group.name)))
    .every((peer) => peer.lost.size > snapshot.lost.size);
