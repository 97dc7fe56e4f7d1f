import { fingerprint } from '../cluster/fingerprint.ts';
import { bucketOfFlow, type Flow } from '../cluster/flow.ts';
import type { VerificationSource } from '../peers/verification.ts';
import type { Edges, Sorting } from '../transitions/edges.ts';

/**
 * What an owner does for a replica that compares: lists its flows in the buckets asked for, and touches those that the
 * replica misses. Ownership is looked up at every batch, since only an owner may touch a flow.
 *
 * @param asked is told what a replica misses
 */
export const servedFlows = (
  edges: Pick<Edges, 'table'>,
  sorting: () => Sorting,
  owns: (bucket: number) => boolean,
  asked: (hashes: ReadonlySet<number>) => void,
): VerificationSource => {
  const chosen = (buckets: ReadonlySet<number>): ((flow: Flow) => boolean) => {
    const { hashing, replicated } = sorting();
    return (flow) => {
      const bucket = bucketOfFlow(flow, hashing);
      return buckets.has(bucket) && owns(bucket) && replicated(flow);
    };
  };
  return {
    hashes: async function* (buckets) {
      const serves = chosen(buckets);
      for await (const flows of edges.table.dump()) {
        yield flows.filter(serves).map(fingerprint);
      }
    },
    touch: async (buckets, hashes) => {
      asked(hashes);
      const serves = chosen(buckets);
      let touched = 0;
      for await (const flows of edges.table.dump()) {
        const tuples = flows
          .filter((flow) => serves(flow) && hashes.has(fingerprint(flow)))
          .map((flow) => flow.original);
        touched += tuples.length > 0 ? (await edges.table.touch(tuples)).done : 0;
      }
      return touched;
    },
  };
};
