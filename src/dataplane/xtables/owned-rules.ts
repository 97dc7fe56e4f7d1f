import { cluster } from './expressions.ts';
import { CHAIN } from './names.ts';

/**
 * The rules of the chain of owned buckets: one for each, which returns the packet to the administrator's rules, and then what
 * sees to the others. xt_cluster has a packet to the shared MAC count as sent to this host by looking at it.
 */
export const ownedRules = (
  hashing: { readonly seed: number; readonly buckets: number },
  owned: readonly number[],
): readonly string[] => [
  ...[...owned].sort((one, other) => one - other).map((bucket) => `${cluster(hashing, bucket)} -j RETURN`),
  `-g ${CHAIN.foreign}`,
];

/**
 * The buckets in a listing of that chain (`iptables -S`), where iptables writes each as a mask of nodes that it doesn't take
 * back: what is listed is only read, never loaded.
 */
export const parseOwned = (listing: string): ReadonlySet<number> => {
  const rules = listing.split('\n').filter((line) => line.startsWith(`-A ${CHAIN.owned} `));
  return new Set(rules.flatMap(bucketsOf));
};

const bucketsOf = (rule: string): readonly number[] => {
  const node = /--cluster-local-node (\d+)/.exec(rule)?.[1];
  if (node !== undefined) return [Number(node) - 1];
  const mask = Number(/--cluster-local-nodemask (0x[0-9a-f]+|\d+)/.exec(rule)?.[1] ?? 0);
  return Array.from({ length: 32 }, (_, bucket) => bucket).filter((bucket) => ((mask >>> bucket) & 1) === 1);
};
