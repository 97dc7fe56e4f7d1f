import type { ClusterConfig } from '../config/types.ts';
import { preferencesOf } from './preference.ts';

/** The buckets with the same home and the same first backup: what moves as one. */
export interface Group {
  /** `home_backup`: legal in file names, keepalived and, unless it begins with a digit, XML ids. */
  readonly name: string;
  readonly home: string;
  /** Who owns it first, second and so on: home, backup, then the others. Names every node once. */
  readonly order: readonly string[];
  /** Ascending. */
  readonly buckets: readonly number[];
}

/**
 * All N*(N-1) groups, in the order of their homes' ids, then their backups'. Buckets go round the homes first and the
 * backups next, so that shares differ by at most one bucket and a failed node's load spreads evenly.
 */
export const groupsOf = (config: Pick<ClusterConfig, 'nodes' | 'buckets'>): readonly Group[] => {
  const names = [...config.nodes].sort((one, other) => one.id - other.id).map((node) => node.name);
  return preferencesOf(names).map((order, index) => {
    const [home = '', backup = ''] = order;
    const turn = index % (names.length - 1);
    return {
      name: `${home}_${backup}`,
      home,
      order,
      buckets: bucketsOf(config.buckets, names.length, names.indexOf(home), turn),
    };
  });
};

/** The group that holds `bucket`. Throws a RangeError for a bucket that none holds. */
export const groupOfBucket = (groups: readonly Group[], bucket: number): Group => {
  const found = groups.find((group) => group.buckets.includes(bucket));
  if (found === undefined) {
    throw new RangeError(`bucket ${bucket} is in no group`);
  }
  return found;
};

const bucketsOf = (buckets: number, nodes: number, home: number, backup: number): readonly number[] =>
  Array.from({ length: buckets }, (_, bucket) => bucket).filter(
    (bucket) => bucket % nodes === home && Math.floor(bucket / nodes) % (nodes - 1) === backup,
  );
