import { type GroupView, isManagers, type PeerView, type Snapshot, type Wanted } from './snapshot.ts';

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

export type Verdict = Omit<Decision, 'group'>;

/** Longer without a status and a peer isn't waited for by who holds its states: its status comes every 100 ms. */
export const QUIET_MS = 250;

/**
 * Longer, and it isn't by who lacks them either. Starved or paused for less an owner comes back with them, and finds what it
 * owned its own.
 */
export const SPARED_MS = 1000;

/**
 * Where no keepalived tells a dead node from a silent agent: one that hangs or is restarted is silent for seconds while its
 * node serves on (3 s, and another for its check). Shorter than the 8 s after which a flow counts as lost.
 */
export const DEAF_MS = 5000;

/** How long a word waits for that of another node's manager: the two race each other. */
export const RACE_MS = 100;

/** Whether a living manager wants this node to own the group. A dead one's last word counts no more. */
export const wants = (snapshot: Snapshot, group: GroupView): boolean =>
  group.wanted?.role === 'owner' && (snapshot.manager.alive || !isManagers(group.wanted));

/** The peers that own it and are heard; one that fell silent can't be asked for it. */
export const ownersOf = (snapshot: Snapshot, group: GroupView): readonly PeerView[] =>
  snapshot.peers.filter((peer) => heard(peer) && peer.owns.has(group.name));

export const heard = (peer: PeerView): boolean => peer.reachable && peer.silent < QUIET_MS;

/** The peers that this node hasn't heard since it stood still, though it could. */
export const notHeardSince = (snapshot: Snapshot): readonly PeerView[] =>
  snapshot.peers.filter((peer) => peer.reachable && peer.stale);

/** Whether every peer has been silent for so many milliseconds, and for so long that it can't be reached. */
export const alone = (snapshot: Snapshot, bound: number): boolean =>
  snapshot.listening >= bound && snapshot.peers.every((peer) => !peer.reachable && peer.silent >= bound);

export const rank = (group: GroupView, node: string): number => group.order.indexOf(node);

export const says = (wanted: Wanted): string =>
  wanted.by === 'start' ? 'its home starts' : `${wanted.by} says ${wanted.word}`;

export const names = (peers: readonly PeerView[]): string => peers.map((peer) => peer.name).join(', ');
