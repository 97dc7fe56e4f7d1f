const HOME_SCORE = 100;
const BACKUP_SCORE = 90;
const STEP = 3;
/** Below every node that is ready: the fifteenth backup's is 48. */
const LAST_RESORT = 1;

/**
 * What this node publishes to Pacemaker as its promotion score for a group; undefined: nothing. Pacemaker promotes the node
 * with the highest score and never one without a score (pcmk_sched_promotable.c), so a node that misses the owner's states
 * has none while somebody serves: its promotion would end their flows. Where nobody serves there are no flows to lose, and
 * whoever owns the group as the last node must keep a score, or Pacemaker would demote it for nobody; any node that is ready
 * outranks both.
 *
 * @param rank this node's place in the group's order, from 0 (its home) to 15
 * @param ready whether this node may be preferred: `readiness`
 * @param owns whether this node owns the group
 * @param orphan whether nobody owns it whom this node can see, itself included
 */
export const promotionScore = (
  rank: number,
  ready: boolean,
  owns: boolean,
  orphan: boolean,
): number | undefined => {
  if (ready) {
    return rank === 0 ? HOME_SCORE : BACKUP_SCORE - STEP * (rank - 1);
  }
  return owns || orphan ? LAST_RESORT : undefined;
};
