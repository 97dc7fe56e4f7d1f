/**
 * The transitions and their steps, in order. What was cut off before a step, the next round finishes or undoes; the lab
 * kills an agent before each of them. A takeover from a peer that is silent has no `ask`.
 */
export const TRANSITIONS = {
  /** Say the hand-over word to the owner; commit the external cache; activate the buckets; adopt their flows. */
  takeover: ['ask', 'commit', 'activate', 'adopt'],
  /** Stop touching flows; deactivate the buckets; send what happened to their flows; answer who asked; disown the flows. */
  release: ['hold', 'deactivate', 'send', 'answer', 'disown'],
  /** Disown everything; purge what peers own; have it sent again; compare. */
  rejoin: ['disown', 'purge', 'bulk', 'verify'],
  /** Load this node's tables again, which another program has removed or changed. */
  mend: ['load'],
} as const;

/** Steps that are taken with `replicas: cache` only: with `kernel` the states are in the kernel before they are needed. */
export const STEPS_OF_CACHE: readonly string[] = ['takeover.commit', 'release.send'];

export type TransitionName = keyof typeof TRANSITIONS;

/** `takeover.ask`, `release.hold` and so on. */
export type Step = {
  [Name in TransitionName]: `${Name}.${(typeof TRANSITIONS)[Name][number]}`;
}[TransitionName];
