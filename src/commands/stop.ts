import { agentRuns } from '../agent/presence.ts';
import { OWNED } from '../dataplane/owned.ts';
import { unloadDataPlane } from '../dataplane/unload.ts';
import { Nftables, SetMissingError } from '../kernel/nftables.ts';
import { type Context, RefusedError, requireRoot, socketPath } from './context.ts';

/** `stop`: takes the data plane down. Without `force` not while this node owns a group, nor under a running agent. */
export const stopNode = async (context: Context, options: { readonly force: boolean }): Promise<void> => {
  requireRoot('stop');
  const { config, node, groups } = context;
  if (await agentRuns(socketPath(config))) {
    throw new RefusedError('the agent runs and would load the data plane again; stop it first');
  }
  const owned = await ownedBuckets();
  const held = groups.filter(({ buckets }) => buckets.some((bucket) => owned.has(bucket)));
  if (held.length > 0 && !options.force) {
    const names = held.map(({ name }) => name).join(', ');
    throw new RefusedError(
      `${node.name} owns ${names}, and its flows would end; move them to a peer first ("conntrack-ha takeover" there), or use --force`,
    );
  }
  await unloadDataPlane(config);
  console.log(`${node.name}: the data plane is down; this node filters nothing of the cluster's`);
};

const ownedBuckets = async (): Promise<ReadonlySet<number>> => {
  const nftables = new Nftables();
  try {
    return new Set(await nftables.elements(OWNED));
  } catch (error) {
    if (error instanceof SetMissingError) {
      return new Set();
    }
    throw error;
  } finally {
    nftables.close();
  }
};
