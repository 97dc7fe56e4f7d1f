import { readFileSync } from 'node:fs';

/** Entries of this network namespace's connection table, and how many there may be; 0: any number. */
export interface TableSize {
  readonly used: number;
  readonly max: number;
}

/**
 * nf_conntrack_count and nf_conntrack_max. The count is the namespace's own, and so is what it is compared with
 * (__nf_conntrack_alloc() in net/netfilter/nf_conntrack_core.c), but only the first namespace can set the maximum, for all of
 * them. Undefined while conntrack isn't loaded.
 */
export const tableSize = (): TableSize | undefined => {
  try {
    return { used: numberOf('count'), max: numberOf('max') };
  } catch {
    return undefined;
  }
};

const numberOf = (name: string): number =>
  Number(readFileSync(`/proc/sys/net/netfilter/nf_conntrack_${name}`, 'utf8'));
