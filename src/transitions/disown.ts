import type { Edges } from './edges.ts';

/**
 * Disowns: empties conntrackd's internal cache, so that nothing that happens to a replica's copy reaches its owner. What
 * was queued for the peer goes out first, since the flush drops it. What this node still owns must be adopted next.
 *
 * @returns whether the queues ran empty in time; if not, adopting sends the states of what is still owned again
 */
export const disown = async (edges: Pick<Edges, 'cache'>, signal: AbortSignal): Promise<boolean> => {
  const drained = await edges.cache.drained(signal);
  if (!signal.aborted) {
    await edges.cache.flush();
  }
  return drained;
};
