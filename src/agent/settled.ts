import type { Round } from './round.ts';

/** Whether the last words are carried out, and nobody is waited for. Pure. */
export const isSettled = (round: Round | undefined): boolean => {
  const { snapshot, decisions = [] } = round ?? {};
  return (
    snapshot !== undefined &&
    (snapshot.listening >= snapshot.timeouts.peer || snapshot.peers.every(({ reachable }) => reachable)) &&
    decisions.every(({ kind }) => kind === 'stay') &&
    snapshot.groups.every(
      ({ active, wanted }) => wanted === undefined || active > 0 === (wanted.role === 'owner'),
    )
  );
};

/**
 * Whether a peer that could own what this node owns may soon ask for it: keepalived prefers one with an agent that stays.
 * Before that it compares its states with this node's, which it has just heard again. Pure.
 */
export const mayBeAsked = (round: Round | undefined): boolean => {
  const { groups = [], peers = [] } = round?.snapshot ?? {};
  return groups.some(({ active }) => active > 0 && peers.some((peer) => peer.reachable && peer.managerAlive));
};

/** Whether every peer is heard. Pure. */
export const hearsAll = (round: Round | undefined): boolean =>
  round?.snapshot.peers.every(({ reachable }) => reachable) ?? false;
