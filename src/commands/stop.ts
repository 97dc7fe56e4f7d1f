import { AgentFiles } from '../agent/files.ts';
import { agentRuns } from '../agent/presence.ts';
import type { Group } from '../cluster/groups.ts';
import type { ClusterConfig } from '../config/types.ts';
import { loadedFirewall } from '../dataplane/record.ts';
import { isNotLoaded, rulesOf } from '../dataplane/rules.ts';
import { unloadDataPlane } from '../dataplane/unload.ts';
import { UNREADY } from '../managers/keepalived/render.ts';
import { run } from '../system/run.ts';
import { type Context, RefusedError, requireRoot, socketPath } from './context.ts';

/** Longer than a round that a hook has started waits for the peers' words. */
const ROUND_S = 10;

/** `stop`: takes the data plane down. Without `force` not while this node owns a group, nor under a running agent. */
export const stopNode = async (context: Context, options: { readonly force: boolean }): Promise<void> => {
  requireRoot('stop');
  const { config, node, groups } = context;
  if (await agentRuns(socketPath(config))) {
    throw new RefusedError('the agent runs and would load the data plane again; stop it first');
  }
  const files = new AgentFiles(config.paths.run);
  const stoppedBefore = files.isStopped;
  if (config.manager !== 'none') {
    files.prepare();
    files.noteStopped(true);
    await roundsEnded(config.paths.run).catch((cause: unknown) => {
      files.noteStopped(stoppedBefore);
      throw new RefusedError('an agent that a hook has started is still at work; try again', { cause });
    });
  }
  const owned = await ownedBuckets(config);
  const held = groups.filter(({ buckets }) => buckets.some((bucket) => owned.has(bucket)));
  if (held.length > 0 && !options.force) {
    files.noteStopped(stoppedBefore);
    const names = held.map(({ name }) => name).join(', ');
    throw new RefusedError(
      `${node.name} owns ${names}, and its flows would end; move them first (${GIVE_AWAY[config.manager]}), or use --force`,
    );
  }
  leaveManager(config, groups, files);
  const { changed, warnings } = await unloadDataPlane(config);
  // It stays so, also where the rules of others are loaded again (conntrack-ha-closed.service).
  files.prepare();
  files.noteStopped(true);
  for (const warning of warnings) {
    console.error(`warning: ${warning}`);
  }
  console.log(`${node.name}: the data plane ${changed ? 'is down' : 'was down already'}`);
};

/** How the groups get to the peer while the agent still runs. */
const GIVE_AWAY: Readonly<Record<ClusterConfig['manager'], string>> = {
  keepalived: '"conntrack-ha drain" while the agent runs',
  pacemaker: '"conntrack-ha drain" while the agent runs, or "crm node standby"',
  none: '"conntrack-ha takeover" on the peer',
};

/** A keepalived that goes on here must not stay MASTER of what this node no longer filters. */
const leaveManager = (config: ClusterConfig, groups: readonly Group[], files: AgentFiles): void => {
  files.forgetAll();
  if (config.manager === 'keepalived') {
    files.prepare();
    for (const { name } of groups) {
      files.writeReady(name, UNREADY);
    }
  }
};

/** Waits for the round that a hook may have started a moment ago: it would load the data plane again (hooks/run-once). */
const roundsEnded = async (directory: string): Promise<void> => {
  await run('flock', ['-w', String(ROUND_S), `${directory}/once.running`, 'true'], {
    timeout: (ROUND_S + 1) * 1000,
  });
};

const ownedBuckets = async (config: ClusterConfig): Promise<ReadonlySet<number>> => {
  const owned = rulesOf(await loadedFirewall(config)).owned(config);
  try {
    return await owned.read();
  } catch (error) {
    if (isNotLoaded(error)) {
      return new Set();
    }
    throw error;
  } finally {
    owned.close();
  }
};
