import type { GroupView, Snapshot } from '../cluster/snapshot.ts';
import type { Decision } from '../cluster/verdict.ts';
import type { Warning } from '../cluster/warning.ts';

/** What an administrator should know of nodes and groups. `reasons` are the last round's decisions. Pure. */
export const warningsOf = (snapshot: Snapshot, reasons: readonly Decision[]): readonly Warning[] => [
  ...snapshot.peers.filter((peer) => !peer.reachable).map(({ name }) => unreachable(name)),
  ...(snapshot.manager.alive ? [] : [silent(snapshot.manager.kind)]),
  ...(snapshot.drained ? [drained(snapshot.node)] : []),
  ...snapshot.groups.flatMap((group) => contradictions(snapshot, group, reasonOf(group, reasons))),
];

/** Why the last round did with the group what it did; empty before the first. */
export const reasonOf = ({ name }: Pick<GroupView, 'name'>, reasons: readonly Decision[]): string =>
  reasons.find(({ group }) => group === name)?.reason ?? '';

const unreachable = (peer: string): Warning => ({
  code: 'peer-unreachable',
  object: peer,
  text: `${peer} doesn't answer on the sync link: no new state comes from it, and none gets there; see whether it runs and its agent, and whether the link carries`,
});

const silent = (kind: string): Warning => ({
  code: 'manager-silent',
  object: kind,
  text: `${kind} says nothing: it doesn't run, or was started before the agent, and this node takes nothing over; start it again`,
});

const drained = (node: string): Warning => ({
  code: 'drained',
  object: node,
  text: 'drained by the operator: this node owns nothing while a peer can; conntrack-ha resume ends that',
});

const contradictions = (snapshot: Snapshot, group: GroupView, reason: string): readonly Warning[] => {
  const { name } = group;
  const owners = [
    ...(group.active > 0 ? [snapshot.node] : []),
    ...snapshot.peers.filter((peer) => peer.reachable && peer.owns.has(name)).map((peer) => peer.name),
  ];
  if (owners.length > 1) {
    return [
      {
        code: 'two-owners',
        object: name,
        text: `${name} has two owners: ${owners.join(' and ')}: its packets are forwarded twice; one of them gives it up within a second, or have one do so with "conntrack-ha release ${name}"`,
      },
    ];
  }
  const rivals = snapshot.peers.filter((peer) => peer.reachable && peer.wants.has(name));
  if (rivals.length > 0 && group.active > 0 && group.wanted?.role === 'owner') {
    const who = rivals.map((peer) => peer.name).join(' and ');
    return [
      {
        code: 'wanted-twice',
        object: name,
        text: `${who} wants ${name} too: is VRRP between the nodes cut? This node goes on serving it; mend the link that keepalived speaks on`,
      },
    ];
  }
  return owners.length === 0 ? [ownerless(snapshot, group, reason)] : [];
};

/** A peer that doesn't answer may filter it all the same: then its packets get through, and nothing says so here. */
const ownerless = ({ peers }: Snapshot, { name }: GroupView, reason: string): Warning => {
  const unseen = peers.filter(({ reachable }) => !reachable).map((peer) => peer.name);
  const what =
    unseen.length === 0
      ? `${name} has no owner: its packets are dropped`
      : `${name} has no owner that answers: unless ${unseen.join(' or ')} filters it, its packets are dropped`;
  const why = reason === '' ? '' : `; this node doesn't take it: ${reason}`;
  return {
    code: 'no-owner',
    object: name,
    text: `${what}${why}; mend that, or take it with "conntrack-ha takeover ${name}"`,
  };
};
