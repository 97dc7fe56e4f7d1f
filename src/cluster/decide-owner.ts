import {
  type Doubt,
  type GroupView,
  isForced,
  type PeerView,
  type Request,
  type Snapshot,
  type Wanted,
} from './snapshot.ts';
import {
  alone,
  DEAF_MS,
  names,
  notHeardSince,
  ownersOf,
  QUIET_MS,
  RACE_MS,
  rank,
  SPARED_MS,
  says,
  type Verdict,
  wants,
} from './verdict.ts';

/** After so long without a peer, one with a better right to what the operator forced here has taken it over. */
const FORSAKEN_MS = DEAF_MS + 1000;

export const decideAsOwner = (snapshot: Snapshot, group: GroupView): Verdict => {
  if (group.request !== undefined) {
    return decideRequest(snapshot, group, group.request);
  }
  const rival = ownersOf(snapshot, group)[0];
  if (rival !== undefined) {
    return decideRival(snapshot, group, rival);
  }
  if (group.wanted !== undefined && !wants(snapshot, group)) {
    return decideGivingUp(snapshot, group, group.wanted);
  }
  return decideKeeping(snapshot, group);
};

/**
 * Two owners that see each other. The one that comes first asks at once, if its manager wants it (else the other's word may
 * still be on its way); the other gives up when asked, or in time.
 */
const decideRival = (snapshot: Snapshot, group: GroupView, rival: PeerView): Verdict => {
  if (group.doubt !== undefined) {
    return { kind: 'deactivate', reason: `${rival.name} has taken it over: ${group.doubt.reason}` };
  }
  if (!winsOver(snapshot, group, rival)) {
    return overdue(snapshot, group)
      ? { kind: 'deactivate', reason: `${rival.name} owns it too and comes first` }
      : { kind: 'stay', reason: `${rival.name} owns it too and comes first, but hasn't asked for it yet` };
  }
  const { asked } = group;
  const fresh = asked?.peer === rival.name && snapshot.now - asked.since < snapshot.timeouts.disagree;
  const reason = `${rival.name} owns it too and has to give it up`;
  return fresh || !wants(snapshot, group)
    ? { kind: 'stay', reason }
    : { kind: 'ask', peer: rival.name, reason };
};

/** It is wanted here, and no other owner is seen; but can one be? */
const decideKeeping = (snapshot: Snapshot, group: GroupView): Verdict => {
  const { wanted } = group;
  if (wanted === undefined) {
    return { kind: 'stay', reason: 'nobody wants it elsewhere' };
  }
  const { doubt } = group;
  if (doubt !== undefined && snapshot.manager.kind !== 'none') {
    const rivals = notHeardSince(snapshot).filter((peer) => mayHaveTaken(snapshot, group, peer, doubt));
    if (rivals.length > 0) {
      // They answer within a round trip. Two owners meanwhile would translate one flow in two ways.
      return { kind: 'deactivate', reason: `${doubt.reason}: ${names(rivals)} may have taken it over` };
    }
  }
  const unseen = alone(snapshot, FORSAKEN_MS);
  // If the peers were dead, the manager here would have said so.
  return isForced(snapshot, group) && unseen && snapshot.manager.alive && group.said?.word === 'BACKUP'
    ? {
        kind: 'deactivate',
        reason: `${says(wanted)}, but ${says(group.said)} and no peer answers on the sync link`,
      }
    : { kind: 'stay', reason: says(wanted) };
};

/**
 * Whether a peer may well have taken it over while this node stood still. Without its states none does before `SPARED_MS`, part of
 * which had passed already, unless its operator forces it or it can serve where this node can't. The states may have come
 * just now; then it says so with its next status.
 */
const mayHaveTaken = ({ lost }: Snapshot, { name }: GroupView, peer: PeerView, doubt: Doubt): boolean =>
  peer.synced.has(name) ||
  peer.forced.has(name) ||
  peer.lost.size < lost.size ||
  doubt.milliseconds >= SPARED_MS - QUIET_MS;

/** The manager wants this node to be a replica: it serves on until the new owner asks, so that no packet is lost. */
const decideGivingUp = (snapshot: Snapshot, group: GroupView, wanted: Wanted): Verdict => {
  const waited = snapshot.now - wanted.since;
  if (wanted.by === 'operator' && wanted.word === 'release') {
    return { kind: 'deactivate', reason: says(wanted) };
  }
  if (wanted.by === 'pacemaker' && wanted.role === 'replica' && waited >= snapshot.timeouts.linger) {
    // Whoever Pacemaker promotes next may not be able to ask.
    return { kind: 'deactivate', reason: `${says(wanted)} and nobody has asked for it` };
  }
  const reachable = snapshot.peers.filter((peer) => peer.reachable);
  const heir = reachable.find((peer) => peer.wants.has(group.name) || peer.owns.has(group.name));
  if (heir !== undefined) {
    return { kind: 'stay', reason: `${says(wanted)}, but ${heir.name} hasn't asked for it yet` };
  }
  // VRRP and the sync link are two paths: BACKUP says that somebody else is master, though he can't be seen here. Unless he
  // has just died, and the manager here has yet to say MASTER. The last word of a dead keepalived says nothing of the kind.
  const bound = Math.max(snapshot.timeouts.peer, snapshot.timeouts.elect);
  const unseen = snapshot.peers.filter((peer) => !peer.reachable);
  const elsewhere = unseen.length > 0 && waited >= bound && unseen.every(({ silent }) => silent >= bound);
  if (wanted.word === 'BACKUP' && snapshot.manager.alive && elsewhere) {
    return {
      kind: 'deactivate',
      reason: `${says(wanted)} and ${reachable.length > 0 ? `${names(unseen)} can't be asked` : 'no peer answers on the sync link'}`,
    };
  }
  return reachable.length > 0
    ? { kind: 'stay', reason: `${says(wanted)}, but no peer has asked for it yet` }
    : { kind: 'stay', reason: `${says(wanted)}, but nobody else is there to own it` };
};

const decideRequest = (snapshot: Snapshot, group: GroupView, request: Request): Verdict => {
  const peer = request.from;
  if (!wants(snapshot, group) || snapshot.manager.kind === 'none') {
    return { kind: 'yield', peer, reason: `${peer} asks for it` };
  }
  const view = snapshot.peers.find(({ name }) => name === peer);
  if (view?.forced.has(group.name)) {
    return { kind: 'yield', peer, reason: `${peer}'s operator takes it by force` };
  }
  const lost = view?.lost.size ?? 0;
  const waited = snapshot.lostFor >= snapshot.timeouts.disagree;
  if (lost < snapshot.lost.size && (request.synced || waited)) {
    // The network that is lost may be the one on which the managers hear each other.
    const here = [...snapshot.lost].join(', ');
    return { kind: 'yield', peer, reason: `${peer} asks for it and has not lost ${here} as this node has` };
  }
  if (snapshot.now - request.since < RACE_MS) {
    return { kind: 'stay', reason: `${peer} asks for it while the manager here says ${group.wanted?.word}` };
  }
  return request.synced && lost <= snapshot.lost.size && rank(group, peer) < rank(group, snapshot.node)
    ? { kind: 'yield', peer, reason: `${peer} asks for it and comes first, though both managers want it` }
    : {
        kind: 'refuse',
        peer,
        reason: `both managers want it and ${snapshot.node} ${lost > snapshot.lost.size ? 'has lost fewer interfaces' : 'comes first'}`,
      };
};

/** Of two owners: the one whose operator forced it; whose manager is alive and wants it; else the earlier synced one. */
const winsOver = (snapshot: Snapshot, group: GroupView, rival: PeerView): boolean => {
  const forced = isForced(snapshot, group);
  if (forced !== rival.forced.has(group.name)) {
    return forced;
  }
  // As the rival sees it: whoever looks must find the same one.
  const mine = snapshot.manager.alive && group.wanted?.role === 'owner';
  const theirs = rival.managerAlive && rival.wants.has(group.name);
  if (mine !== theirs) {
    return mine;
  }
  const rivalSynced = rival.synced.has(group.name);
  return group.synced === rivalSynced ? rank(group, snapshot.node) < rank(group, rival.name) : group.synced;
};

const overdue = (snapshot: Snapshot, group: GroupView): boolean =>
  group.contested !== undefined && snapshot.now - group.contested >= snapshot.timeouts.disagree;
