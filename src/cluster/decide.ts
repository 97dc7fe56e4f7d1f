import { decideAsOwner } from './decide-owner.ts';
import { decideAsReplica } from './decide-replica.ts';
import type { GroupView, Snapshot } from './snapshot.ts';
import { type Decision, ownersOf, says, type Verdict } from './verdict.ts';

/** One decision for each group. Pure: the same snapshot gives the same decisions. */
export const decide = (snapshot: Snapshot): readonly Decision[] =>
  snapshot.groups.map((group) => ({ group: group.name, ...decideGroup(snapshot, group) }));

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
