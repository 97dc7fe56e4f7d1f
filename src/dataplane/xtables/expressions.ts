import type { Ports } from '../../config/types.ts';

/** The match of xt_cluster for one bucket: it hashes the original source of the packet's flow, or of its master's. */
export const cluster = (
  { seed, buckets }: { readonly seed: number; readonly buckets: number },
  bucket: number,
): string =>
  // A mask of several buckets can't be given: iptables 1.8 takes 1 to 32 for a mask's value (libxt_cluster.c).
  `-m cluster --cluster-total-nodes ${buckets} --cluster-local-node ${bucket + 1} --cluster-hash-seed 0x${seed.toString(16)}`;

/** The match of conntrack's states. */
export const state = (...states: readonly ('NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED')[]) =>
  `-m conntrack --ctstate ${states.join(',')}`;

/** A drop that says why. */
export const drop = (why: string): string => `-m comment --comment "${why}" -j DROP`;

/** `80` or `8000:8010` */
export const portsText = ({ first, last }: Ports): string =>
  first === last ? String(first) : `${first}:${last}`;
