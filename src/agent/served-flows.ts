import { asOptional, fingerprint, originalFingerprint } from '../cluster/fingerprint.ts';
import { bucketOfFlow, type Flow } from '../cluster/flow.ts';
import type { HashTable } from '../cluster/hash-table.ts';
import type { VerificationSource } from '../peers/verification.ts';
import { ahead } from '../system/ahead.ts';
import { adopt } from '../transitions/adopt.ts';
import type { Edges, Sorting } from '../transitions/edges.ts';

/**
 * What an owner does for a replica that compares: lists its flows in the buckets asked for, and touches those that the
 * replica misses, no faster than it adopts. Ownership is looked up at every batch, since only an owner may touch a flow.
 *
 * With `replicas: cache` only original tuples are compared, and what this node has but doesn't replicate is listed as well,
 * marked: its own connections may stand in the replica's cache.
 *
 * @param asked is told what a replica misses
 * @param intact rejects if this node has lost flows that it may get back: what isn't listed the replica would delete
 */
export const servedFlows = (
  edges: Pick<Edges, 'table' | 'external'>,
  sorting: () => Sorting,
  owns: (bucket: number) => boolean,
  asked: (hashes: HashTable) => void,
  intact: () => Promise<void> = async () => {},
): VerificationSource => {
  const chosen = (buckets: ReadonlySet<number>): ((flow: Flow) => boolean) => {
    const { hashing, replicated } = sorting();
    return (flow) => {
      const bucket = bucketOfFlow(flow, hashing);
      return buckets.has(bucket) && owns(bucket) && replicated(flow);
    };
  };
  const cached = edges.external !== undefined;
  const hashOf = cached ? originalFingerprint : fingerprint;
  async function* listed(buckets: ReadonlySet<number>): AsyncGenerator<readonly number[], void, undefined> {
    const serves = chosen(buckets);
    const { replicated } = sorting();
    for await (const flows of edges.table.dump()) {
      const others = cached ? flows.filter((flow) => !replicated(flow)) : [];
      yield [...flows.filter(serves).map(hashOf), ...others.map((flow) => asOptional(hashOf(flow)))];
    }
    await intact();
  }
  return {
    // Half a million flows that wait for a slow replica as objects would have the garbage collector stop the event loop.
    hashes: (buckets) => ahead(listed(buckets)),
    touch: (buckets, hashes) => {
      asked(hashes);
      return adopt(
        edges,
        sorting(),
        (bucket) => buckets.has(bucket) && owns(bucket),
        new AbortController().signal,
        (flow) => hashes.has(hashOf(flow)),
      );
    },
  };
};
