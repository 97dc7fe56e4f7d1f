import { setTimeout as delay } from 'node:timers/promises';
import { bucketOfFlow, type Flow } from '../cluster/flow.ts';
import { TupleList } from '../cluster/tuple-list.ts';
import type { Edges, Sorting } from './edges.ts';

/** Tuples in one batch: a few tenths of a millisecond of kernel time. */
const BATCH = 100;
/** Flows a second. conntrackd reads no more than twice as many events, and what its socket can't hold is lost. */
const RATE = 100_000;
/** Timers are no more exact than this. */
const TIMER_MS = 2;

/**
 * Adopts: touches the flows of the buckets that this node owns, so that they stand in conntrackd's internal cache and go
 * out to the replicas. Ownership is looked up again for every batch: the touch of a flow that another node owns would
 * replace that node's live entry.
 *
 * First the table is read, then touched: nothing holds the kernel back while it lists its table, so what is read has to
 * be done with at once.
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
  const mine = new TupleList();
  for await (const flows of edges.table.dump(signal)) {
    for (const flow of flows) {
      const bucket = bucketOfFlow(flow, sorting.hashing);
      if (owns(bucket) && sorting.replicated(flow) && chosen(flow)) {
        mine.push(flow.original, bucket);
      }
    }
  }
  return touchAll(edges, mine, owns, signal);
};

const touchAll = async (
  edges: Pick<Edges, 'table'>,
  mine: TupleList,
  owns: (bucket: number) => boolean,
  signal: AbortSignal,
): Promise<number> => {
  const began = performance.now();
  let touched = 0;
  for (let at = 0; at < mine.length && !signal.aborted; at += BATCH) {
    touched += (await edges.table.touch(mine.slice(at, at + BATCH, owns))).done;
    const early = began + ((at + BATCH) * 1000) / RATE - performance.now();
    if (early >= TIMER_MS) {
      await delay(early);
    }
  }
  return touched;
};
