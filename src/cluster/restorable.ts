import type { GroupView, Snapshot } from './snapshot.ts';

/**
 * The buckets that may go on being served at once after the kernel's rules were removed and loaded again: those of `held`, what
 * this node owned a moment ago, whose group nobody else can have taken over meanwhile. What is left out starts closed, and
 * `decide` says what becomes of it. Pure.
 */
export const restorable = (snapshot: Snapshot, held: ReadonlySet<number>): readonly number[] =>
  snapshot.groups
    .filter((group) => isUndisputed(snapshot, group))
    .flatMap(({ buckets }) => buckets.filter((bucket) => held.has(bucket)));

const isUndisputed = ({ peers }: Snapshot, group: GroupView): boolean =>
  // Who has asked takes it after a moment, with an answer or without.
  group.request === undefined &&
  // This node stood still while it owned it.
  group.doubt === undefined &&
  !peers.some((peer) => peer.reachable && peer.owns.has(group.name));
