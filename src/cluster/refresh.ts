import type { Flow } from './flow.ts';

/**
 * A flow is touched this often in its timeout. One with a packet every third of it has two thirds left at worst when
 * it is touched. That copy must last until the next touch, a fifth later, and if the owner dies then just after a
 * packet, a third longer: two fifteenths remain for the takeover and for what delays a round.
 */
const PARTS = 5;
const SHORTEST_MS = 1000;
const LONGEST_MS = 20_000;
/** A power of two. What has days left could wait longer, but then a copy that is missing would be missing for so long. */
const MOST_ROUNDS = 32;

/**
 * Milliseconds between two rounds of refreshing, from 1000 to 20 000.
 *
 * @param timeouts that the kernel gives flows that can live on, in seconds; one of them at least
 */
export const refreshInterval = (timeouts: readonly number[]): number =>
  Math.min(Math.max((Math.min(...timeouts) * 1000) / PARTS, SHORTEST_MS), LONGEST_MS);

/** IPS_SEQ_ADJUST, include/uapi/linux/netfilter/nf_conntrack_common.h. */
const SEQUENCE_ADJUSTED = 0x40;

/**
 * Whether a flow is touched in this round: always if a helper has changed the length of what was said, by how much only a
 * touch tells the replicas (nf_ct_seqadj_set() in net/netfilter/nf_conntrack_seqadj.c makes no event). Of the others, the rounds between two touches are a power of two, so a flow whose timeout runs
 * down is touched no later for that. Which of those rounds it is depends on the flow, so each has about as many.
 *
 * @param round counted from any number
 * @param interval milliseconds between two rounds
 */
export const isDue = ({ status, timeout, original }: Flow, round: number, interval: number): boolean => {
  if ((status & SEQUENCE_ADJUSTED) !== 0) return true;
  const rounds = (timeout * 1000) / PARTS / interval;
  const every = 2 ** Math.floor(Math.log2(Math.min(Math.max(rounds, 1), MOST_ROUNDS)));
  // Linux gives connections even ports as long as it has some (inet_hash_connect): the lowest bit says nothing.
  return (round + (original.sport >>> 1)) % every === 0;
};
