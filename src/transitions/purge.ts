import { bucketOfFlow, type Tuple } from '../cluster/flow.ts';
import type { Edges, Sorting } from './edges.ts';

/**
 * Purges: deletes this node's entries of `foreign` buckets. Only after disowning: a deletion of what stands in the
 * internal cache is sent to the owner and ends the live flow there.
 *
 * @param foreign whether another node owns the bucket at this moment
 * @returns the number of entries deleted
 */
export const purge = async (
  edges: Pick<Edges, 'table'>,
  sorting: Sorting,
  foreign: (bucket: number) => boolean,
  signal: AbortSignal,
): Promise<number> => {
  let removed = 0;
  for await (const flows of edges.table.dump(signal)) {
    if (signal.aborted) {
      break;
    }
    const tuples: Tuple[] = flows
      .filter((flow) => sorting.replicated(flow) && foreign(bucketOfFlow(flow, sorting.hashing)))
      .map((flow) => flow.original);
    if (tuples.length > 0) {
      removed += (await edges.table.remove(tuples)).done;
    }
  }
  return removed;
};
