import { fingerprint } from '../cluster/fingerprint.ts';
import { bucketOfFlow } from '../cluster/flow.ts';
import type { VerificationSource } from '../peers/verification.ts';
import { ahead } from '../system/ahead.ts';
import { adopt } from '../transitions/adopt.ts';
import type { Edges, Sorting } from '../transitions/edges.ts';

/**
 * What a replica does for an owner that has lost states: lists its copies of the owner's flows, and touches those that the
 * owner misses, so that conntrackd sends them. Nothing else may touch a copy: where the owner has the flow, that would replace
 * a live entry.
 *
 * With `replicas: cache` there is nothing to give: the copies stand in conntrackd's external cache, which it sends to nobody.
 *
 * @param isOwners whether that peer owns the bucket at this moment, and this node doesn't
 * @param lend runs what touches copies, and has them leave the internal cache at once
 */
export const lentCopies = (
  edges: Pick<Edges, 'table' | 'external'>,
  sorting: () => Sorting,
  isOwners: (bucket: number) => boolean,
  lend: (touching: () => Promise<number>) => Promise<number>,
): VerificationSource => {
  async function* listed(buckets: ReadonlySet<number>): AsyncGenerator<readonly number[], void, undefined> {
    if (edges.external !== undefined) return;
    const { hashing, replicated } = sorting();
    for await (const flows of edges.table.dump()) {
      yield flows
        .filter((flow) => {
          const bucket = bucketOfFlow(flow, hashing);
          return buckets.has(bucket) && isOwners(bucket) && replicated(flow);
        })
        .map(fingerprint);
    }
  }
  return {
    hashes: (buckets) => ahead(listed(buckets)),
    touch: (buckets, hashes) =>
      lend(() =>
        adopt(
          edges,
          sorting(),
          (bucket) => buckets.has(bucket) && isOwners(bucket),
          new AbortController().signal,
          (flow) => hashes.has(fingerprint(flow)),
        ),
      ),
  };
};
