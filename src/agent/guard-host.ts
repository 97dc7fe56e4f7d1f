import { restorable } from '../cluster/restorable.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import { isNotLoaded } from '../dataplane/rules.ts';
import type { Chronicle } from './chronicle.ts';
import type { Lease } from './lease.ts';
import type { Memory } from './memory.ts';
import type { OwnedBuckets } from './owned-buckets.ts';
import type { AgentParts } from './parts.ts';
import type { GuardHost } from './table-guard.ts';

/** Who knows what the guard of our tables has to ask. */
interface Sources {
  readonly memory: Pick<Memory, 'lost' | 'peers'>;
  readonly owned: Pick<OwnedBuckets, 'now'>;
  readonly lease: Pick<Lease, 'holds'>;
  readonly chronicle: Chronicle;
  readonly see: (owned: ReadonlySet<number>) => Snapshot;
  /** This node's tables may hold as its own what isn't. */
  readonly doubtful: () => void;
}

/** What the guard of our tables asks of the agent, and has it do. */
export const guardHostOf = (parts: AgentParts, sources: Sources): GuardHost => ({
  held: () => held(parts, sources),
  lease: parts.lease,
  leaving: () => isLeaving(sources),
  chronicle: sources.chronicle,
  reach: parts.reach,
  log: parts.log,
  mended: () => {
    sources.doubtful();
    // An interface that had no rules waits for them.
    void parts.mendNow();
    // While they were gone, the kernel told whoever asked the interface's own MAC.
    parts.neighbours.announce('the tables were mended');
  },
});

/** What is still owned, or was until the set was removed with its table. */
const held = async ({ edges }: AgentParts, { owned, lease, see }: Sources): Promise<readonly number[]> => {
  const now = await edges.owned.read().catch((error: unknown) => {
    if (isNotLoaded(error)) {
      return lease.holds(performance.now()) ? owned.now : new Set<number>();
    }
    throw error;
  });
  return restorable(see(now), now);
};

/** Whether a peer that has lost less is about to take over what this node owns. */
const isLeaving = ({ memory, owned }: Sources): boolean => {
  const lost = memory.lost.length;
  const better = memory.peers(performance.now()).some((peer) => peer.reachable && peer.lost.size < lost);
  return better && owned.now.size > 0;
};
