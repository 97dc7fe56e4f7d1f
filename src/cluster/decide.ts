import {
  type GroupView,
  isForced,
  type PeerView,
  type Request,
  type Snapshot,
  type Wanted,
} from './snapshot.ts';

/** What one round does with one group, and why: one sentence for the log, `status` and the tests. */
export interface Decision {
  readonly group: string;
  readonly kind: DecisionKind;
  readonly reason: string;
  /** The peer that is asked or answered. */
  readonly peer?: string;
}

/**
 * `ask`: say the hand-over word to the owner; `yield`: deactivate and answer the peer's word; `grant`: answer it
 * (there is nothing to deactivate); `refuse`: answer it with no; `stay`: nothing.
 */
export type DecisionKind = 'activate' | 'deactivate' | 'ask' | 'yield' | 'grant' | 'refuse' | 'stay';

/** Longer without a status and a peer isn't waited for: its status comes every 100 ms. */
export const QUIET_MS = 250;
/** How long the old owner's answer is awaited before the new one activates all the same. */
export const WORD_MS = 250;
/**
 * Where no keepalived tells a dead node from a silent agent: one that hangs or is restarted is silent for seconds while its
 * node serves on (3 s, and another for its check). Shorter than the 8 s after which a flow counts as lost.
 */
const DEAF_MS = 5000;
/** After so long without a peer, one with a better right to what the operator forced here has taken it over. */
const FORSAKEN_MS = DEAF_MS + 1000;
/** How long a request waits for this node's own manager to say BACKUP: the two words race each other. */
const RACE_MS = 100;

/** One decision for each group. Pure: the same snapshot gives the same decisions. */
export const decide = (snapshot: Snapshot): readonly Decision[] =>
  snapshot.groups.map((group) => ({ group: group.name, ...decideGroup(snapshot, group) }));

type Verdict = Omit<Decision, 'group'>;

const decideGroup = (snapshot: Snapshot, group: GroupView): Verdict => {
  if (group.active > 0 && group.active < group.buckets.length) {
    return decidePartial(snapshot, group);
  }
  return group.active > 0 ? decideAsOwner(snapshot, group) : decideAsReplica(snapshot, group);
};

/** Another program changed the set: finish what is wanted, or undo it. */
const decidePartial = (snapshot: Snapshot, group: GroupView): Verdict => {
  const found = `only ${group.active} of ${group.buckets.length} buckets were active`;
  return group.wanted?.role === 'owner' && ownersOf(snapshot, group).length === 0
    ? { kind: 'activate', reason: `${found} and ${says(group.wanted)}` }
    : { kind: 'deactivate', reason: `${found} and this node shall not own it` };
};

const decideAsOwner = (snapshot: Snapshot, group: GroupView): Verdict => {
  if (group.request !== undefined) {
    return decideRequest(snapshot, group, group.request);
  }
  const rival = ownersOf(snapshot, group)[0];
  if (rival !== undefined) {
    return decideRival(snapshot, group, rival);
  }
  if (group.wanted !== undefined && !wants(snapshot, group)) {
    return decideGivingUp(snapshot, group.wanted);
  }
  return decideKeeping(snapshot, group);
};

/**
 * Two owners that see each other. The one that comes first asks at once, if its manager wants it (else the other's word may
 * still be on its way); the other gives up when asked, or in time.
 */
const decideRival = (snapshot: Snapshot, group: GroupView, rival: PeerView): Verdict => {
  if (group.doubtful !== undefined) {
    return { kind: 'deactivate', reason: `${rival.name} has taken it over: ${group.doubtful}` };
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
  const unheard = notHeardSince(snapshot);
  if (group.doubtful !== undefined && unheard.length > 0 && snapshot.manager.kind !== 'none') {
    // They answer within a round trip. Two owners meanwhile would translate one flow in two ways.
    return { kind: 'deactivate', reason: `${group.doubtful}: ${names(unheard)} may have taken it over` };
  }
  const unseen =
    snapshot.listening >= FORSAKEN_MS &&
    snapshot.peers.every((peer) => !peer.reachable && peer.silent >= FORSAKEN_MS);
  // If the peers were dead, the manager here would have said so.
  return isForced(snapshot, group) && unseen && snapshot.manager.alive && group.said?.word === 'BACKUP'
    ? {
        kind: 'deactivate',
        reason: `${says(wanted)}, but ${says(group.said)} and no peer answers on the sync link`,
      }
    : { kind: 'stay', reason: says(wanted) };
};

/** The manager wants this node to be a replica: it serves on until the new owner asks, so that no packet is lost. */
const decideGivingUp = (snapshot: Snapshot, wanted: Wanted): Verdict => {
  const waited = snapshot.now - wanted.since;
  if (wanted.by === 'operator' && wanted.word === 'release') {
    return { kind: 'deactivate', reason: says(wanted) };
  }
  if (snapshot.peers.some((peer) => peer.reachable)) {
    return { kind: 'stay', reason: `${says(wanted)}, but no peer has asked for it yet` };
  }
  // VRRP and the sync link are two paths: BACKUP says that somebody else is master, though he can't be seen here. Unless he
  // has just died, and the manager here has yet to say MASTER. The last word of a dead keepalived says nothing of the kind.
  const bound = Math.max(snapshot.timeouts.peer, snapshot.timeouts.elect);
  const elsewhere = waited >= bound && snapshot.peers.every(({ silent }) => silent >= bound);
  return wanted.word === 'BACKUP' && snapshot.manager.alive && elsewhere
    ? { kind: 'deactivate', reason: `${says(wanted)} and no peer answers on the sync link` }
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
  if (request.synced && lost < snapshot.lost.size) {
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

const decideAsReplica = (snapshot: Snapshot, group: GroupView): Verdict => {
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
  if (wanted.by === 'keepalived' && keeper !== undefined) {
    // The word is older than the silence: it says nothing about it.
    return {
      kind: 'stay',
      reason: `${says(wanted)}, but ${keeper.name}'s operator kept it by force until it fell silent`,
    };
  }
  const unknown = snapshot.peers.filter((peer) => peer.silent === Number.POSITIVE_INFINITY);
  if (unknown.length > 0 && snapshot.listening < snapshot.timeouts.peer) {
    return { kind: 'stay', reason: `${says(wanted)}, but ${names(unknown)} may still answer` };
  }
  const silent = snapshot.peers.filter((peer) => !heard(peer));
  return {
    kind: 'activate',
    reason: silent.length > 0 ? `${says(wanted)}; ${names(silent)} is silent` : says(wanted),
  };
};

/** A reachable peer owns it. */
const decideTakeover = (snapshot: Snapshot, group: GroupView, wanted: Wanted, owner: PeerView): Verdict => {
  if (isHeldDown(snapshot, group)) {
    return { kind: 'stay', reason: `${says(wanted)}, held down after the last change` };
  }
  if (wanted.by === 'start') {
    return { kind: 'stay', reason: `${owner.name} owns it; conntrack-ha takeover ${group.name} takes it` };
  }
  if (wanted.by === 'keepalived' && owner.forced.has(group.name) && owner.lost.size <= snapshot.lost.size) {
    return { kind: 'stay', reason: `${says(wanted)}, but ${owner.name}'s operator keeps it by force` };
  }
  if (wanted.by === 'keepalived' && owner.lost.size < snapshot.lost.size) {
    const here = [...snapshot.lost].join(', ');
    return { kind: 'stay', reason: `${says(wanted)}, but ${here} is lost here and ${owner.name} serves it` };
  }
  if (!group.synced && !wanted.force) {
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

const isHeldDown = (snapshot: Snapshot, group: GroupView): boolean =>
  group.changed !== undefined && snapshot.now - group.changed < snapshot.timeouts.holddown;

/** Whether every peer has been silent for so many milliseconds, and for so long that it can't be reached. */
const alone = (snapshot: Snapshot, bound: number): boolean =>
  snapshot.listening >= bound && snapshot.peers.every((peer) => !peer.reachable && peer.silent >= bound);

/** Whether a living manager wants this node to own the group. A dead one's last word counts no more. */
const wants = (snapshot: Snapshot, group: GroupView): boolean =>
  group.wanted?.role === 'owner' && (snapshot.manager.alive || group.wanted.by !== 'keepalived');

/** The peers that own it and are heard; one that fell silent is no owner to wait for. */
const ownersOf = (snapshot: Snapshot, group: GroupView): readonly PeerView[] =>
  snapshot.peers.filter((peer) => heard(peer) && peer.owns.has(group.name));

const heard = (peer: PeerView): boolean => peer.reachable && peer.silent < QUIET_MS;

/** The peers that this node hasn't heard since it stood still, though it could. */
const notHeardSince = (snapshot: Snapshot): readonly PeerView[] =>
  snapshot.peers.filter((peer) => peer.reachable && peer.stale);

const rank = (group: GroupView, node: string): number => group.order.indexOf(node);

const says = (wanted: Wanted): string =>
  wanted.by === 'start' ? 'its home starts' : `${wanted.by} says ${wanted.word}`;

const names = (peers: readonly PeerView[]): string => peers.map((peer) => peer.name).join(', ');
