import { readinessOf } from './readiness.ts';
import { type GroupView, isManagers, type PeerView, type Snapshot, type Wanted } from './snapshot.ts';
import {
  alone,
  DEAF_MS,
  heard,
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

/** How long the old owner's answer is awaited before the new one activates all the same. */
export const WORD_MS = 250;

export const decideAsReplica = (snapshot: Snapshot, group: GroupView): Verdict => {
  if (group.request !== undefined) {
    return { kind: 'grant', peer: group.request.from, reason: 'not its owner' };
  }
  const { wanted } = group;
  if (wanted === undefined) {
    return { kind: 'stay', reason: 'nobody has said who shall own it' };
  }
  if (!wants(snapshot, group)) {
    return decideBlind(snapshot, wanted);
  }
  const owner = ownersOf(snapshot, group)[0];
  return owner === undefined
    ? decideOrphan(snapshot, group, wanted)
    : decideTakeover(snapshot, group, wanted, owner);
};

/**
 * The manager doesn't want this node to own it. If it can't know better (FAULT: its own interface is down; or it is
 * dead) and no peer answers either, both ways to the peers are cut or they are gone: the last node serves.
 */
const decideBlind = (snapshot: Snapshot, wanted: Wanted): Verdict => {
  const blind = wanted.by === 'keepalived' && (wanted.word === 'FAULT' || !snapshot.manager.alive);
  const why = snapshot.manager.alive ? says(wanted) : "keepalived doesn't run here";
  const bound = snapshot.manager.alive ? snapshot.timeouts.peer : Math.max(DEAF_MS, snapshot.timeouts.peer);
  if (!blind || snapshot.lost.size > 0 || !alone(snapshot, bound)) {
    return { kind: 'stay', reason: blind ? why : says(wanted) };
  }
  return { kind: 'activate', reason: `${why}, but no peer answers: the last node serves` };
};

/** No peer that can be seen owns it. */
const decideOrphan = (snapshot: Snapshot, group: GroupView, wanted: Wanted): Verdict => {
  if (group.asked?.answer?.granted === true) {
    return { kind: 'activate', reason: `${says(wanted)}; ${group.asked.peer} gave it up` };
  }
  const heir = snapshot.peers.find((peer) => heard(peer) && peer.name === group.heir);
  if (heir !== undefined && snapshot.now - (group.changed ?? 0) < QUIET_MS) {
    return { kind: 'stay', reason: `${says(wanted)}, but ${heir.name} has just been given it` };
  }
  const unheard = notHeardSince(snapshot);
  if (unheard.length > 0) {
    return {
      kind: 'stay',
      reason: `${says(wanted)}, but ${names(unheard)} may have taken it over while this node stood still`,
    };
  }
  const keeper = snapshot.peers.find(
    (peer) => peer.owns.has(group.name) && peer.forced.has(group.name) && peer.silent < DEAF_MS,
  );
  if (isManagers(wanted) && keeper !== undefined) {
    // The word is older than the silence: it says nothing about it.
    return {
      kind: 'stay',
      reason: `${says(wanted)}, but ${keeper.name}'s operator kept it by force until it fell silent`,
    };
  }
  const spared = snapshot.peers.find(
    (peer) =>
      peer.silent < SPARED_MS &&
      peer.owns.has(group.name) &&
      mustWaitForStates(snapshot, group, wanted, peer),
  );
  if (spared !== undefined) {
    return {
      kind: 'stay',
      reason: `${says(wanted)}, but its states aren't here yet and ${spared.name} fell silent only now`,
    };
  }
  const unknown = snapshot.peers.filter((peer) => peer.silent === Number.POSITIVE_INFINITY);
  if (unknown.length > 0 && snapshot.listening < snapshot.timeouts.peer) {
    return { kind: 'stay', reason: `${says(wanted)}, but ${names(unknown)} may still answer` };
  }
  if (wanted.by === 'keepalived' && snapshot.now - wanted.since < RACE_MS) {
    const first = snapshot.peers.find((peer) => comesFirst(snapshot, group, peer));
    if (first !== undefined) {
      return {
        kind: 'stay',
        reason: `${says(wanted)}, but ${first.name} comes first and may be about to take it`,
      };
    }
    // keepalived hears on another path than this agent, and takes its word back when it hears somebody better.
    if (!readinessOf(snapshot, group).ready) {
      return { kind: 'stay', reason: `${says(wanted)}, but a node that is readier may say so too` };
    }
  }
  const silent = snapshot.peers.filter((peer) => !heard(peer));
  return {
    kind: 'activate',
    reason: silent.length > 0 ? `${says(wanted)}; ${names(silent)} is silent` : says(wanted),
  };
};

/**
 * Whether a peer has a better right to what nobody owns. When a master dies, the timers of all its backups run out within
 * milliseconds of each other (RFC 5798, section 6.1: Skew_Time), and each is MASTER until it hears a better one.
 */
const comesFirst = (snapshot: Snapshot, group: GroupView, peer: PeerView): boolean =>
  heard(peer) &&
  peer.managerAlive &&
  peer.synced.has(group.name) &&
  peer.lost.size <= snapshot.lost.size &&
  rank(group, peer.name) < rank(group, snapshot.node);

/** A reachable peer owns it. */
const decideTakeover = (snapshot: Snapshot, group: GroupView, wanted: Wanted, owner: PeerView): Verdict => {
  if (isHeldDown(snapshot, group)) {
    return { kind: 'stay', reason: `${says(wanted)}, held down after the last change` };
  }
  if (wanted.by === 'start') {
    return { kind: 'stay', reason: `${owner.name} owns it; conntrack-ha takeover ${group.name} takes it` };
  }
  if (isManagers(wanted) && owner.forced.has(group.name) && owner.lost.size <= snapshot.lost.size) {
    return { kind: 'stay', reason: `${says(wanted)}, but ${owner.name}'s operator keeps it by force` };
  }
  if (isManagers(wanted) && owner.lost.size < snapshot.lost.size) {
    const here = [...snapshot.lost].join(', ');
    return { kind: 'stay', reason: `${says(wanted)}, but ${here} is lost here and ${owner.name} serves it` };
  }
  if (mustWaitForStates(snapshot, group, wanted, owner)) {
    return {
      kind: 'stay',
      reason: `${says(wanted)}, but ${owner.name} serves it and its states aren't here yet`,
    };
  }
  const { asked } = group;
  if (asked === undefined || asked.peer !== owner.name) {
    return { kind: 'ask', peer: owner.name, reason: says(wanted) };
  }
  if (asked.answer?.granted === true) {
    return { kind: 'activate', reason: `${says(wanted)}; ${owner.name} gave it up` };
  }
  if (asked.answer !== undefined) {
    return snapshot.now - asked.answer.at < snapshot.timeouts.disagree
      ? { kind: 'stay', reason: `${owner.name} keeps it: ${asked.answer.reason}` }
      : { kind: 'ask', peer: owner.name, reason: says(wanted) };
  }
  return snapshot.now - asked.since < WORD_MS
    ? { kind: 'stay', reason: `${says(wanted)}; ${owner.name} was asked to give it up` }
    : { kind: 'activate', reason: `${says(wanted)}; ${owner.name} didn't answer in ${WORD_MS} ms` };
};

/** Whether the states of the owner are missing here, and are worth waiting for. */
const mustWaitForStates = (
  snapshot: Snapshot,
  group: GroupView,
  wanted: Wanted,
  owner: PeerView,
): boolean => {
  // What serves nobody isn't worth waiting for: the flows whose states are here are better than none.
  const futile =
    owner.lost.size > snapshot.lost.size && snapshot.now - wanted.since >= snapshot.timeouts.disagree;
  return !group.synced && !wanted.force && !futile;
};

const isHeldDown = (snapshot: Snapshot, group: GroupView): boolean =>
  group.changed !== undefined && snapshot.now - group.changed < snapshot.timeouts.holddown;
