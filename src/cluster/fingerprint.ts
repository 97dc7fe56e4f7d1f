import type { Flow, Tuple } from './flow.ts';
import { jhashWord } from './hash.ts';

const FIRST_SEED = 0x5bd1e995;
const SECOND_SEED = 0x1b873593;

/**
 * A 52-bit hash of both tuples of a flow, translation included, the same on every node: what owner and replica compare
 * instead of the flows. Two of 500 000 flows share one with a probability of about 3 in 100 000.
 */
export const fingerprint = (flow: Pick<Flow, 'original' | 'reply'>): number =>
  mix(flow, FIRST_SEED) * 0x10_0000 + (mix(flow, SECOND_SEED) >>> 12);

const mix = (flow: Pick<Flow, 'original' | 'reply'>, seed: number): number =>
  mixTuple(flow.reply, mixTuple(flow.original, seed));

const mixTuple = (tuple: Tuple, seed: number): number => {
  const ports = (tuple.sport * 0x1_0000 + tuple.dport) >>> 0;
  return jhashWord(tuple.protocol, jhashWord(ports, jhashWord(tuple.dst, jhashWord(tuple.src, seed))));
};
