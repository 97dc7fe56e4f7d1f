import { bucketOfFlow, type Flow, type Tuple } from '../cluster/flow.ts';
import type { Edges, Sorting } from './edges.ts';

/** Tuples in one batch: a few tenths of a millisecond of kernel time. */
const BATCH = 100;

/**
 * Adopts: touches the flows of the buckets that this node owns, so that they stand in conntrackd's internal cache and go
 * out to the replicas. Ownership is looked up again for every batch: the touch of a flow that another node owns would
 * replace that node's live entry.
 *
 * @param owns the answer of this moment
 * @param chosen which of the owned flows; all by default
 * @returns the number of flows touched
 */
export const adopt = async (
  edges: Pick<Edges, 'table'>,
  sorting: Sorting,
  owns: (bucket: number) => boolean,
  signal: AbortSignal,
  chosen: (flow: Flow) => boolean = () => true,
): Promise<number> => {
  let touched = 0;
  let pending: { tuple: Tuple; bucket: number }[] = [];
  const send = async (): Promise<void> => {
    if (!signal.aborted) {
      const tuples = pending.filter(({ bucket }) => owns(bucket)).map(({ tuple }) => tuple);
      touched += (await edges.table.touch(tuples)).done;
    }
    pending = [];
  };
  for await (const flows of edges.table.dump(signal)) {
    if (signal.aborted) {
      break;
    }
    for (const flow of flows) {
      const bucket = bucketOfFlow(flow, sorting.hashing);
      if (owns(bucket) && sorting.replicated(flow) && chosen(flow)) {
        pending.push({ tuple: flow.original, bucket });
      }
    }
    if (pending.length >= BATCH) {
      await send();
    }
  }
  await send();
  return touched;
};
