import { groupsOf } from '../cluster/groups.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { UNREADY } from '../managers/keepalived/render.ts';
import { promotionScore } from '../managers/pacemaker/score.ts';
import { Scores } from '../managers/pacemaker/scores.ts';
import type { Logger } from '../system/log.ts';
import { run } from '../system/run.ts';
import type { AgentFiles } from './files.ts';
import type { AgentParts } from './parts.ts';

/** Tells the manager by what it looks at: keepalived's track files, Pacemaker's promotion scores. */
export const announcerOf = (
  config: ClusterConfig,
  node: NodeConfig,
  files: AgentFiles,
  log: Logger,
  resident: boolean,
): AgentParts['announce'] => {
  if (config.manager === 'keepalived') {
    return ({ group, ready }) => {
      if (files.writeReady(group, ready ? 0 : UNREADY)) {
        log.debug(`${ready ? 'ready' : 'not ready'} for ${group}`);
      }
    };
  }
  if (config.manager === 'none') {
    return () => {};
  }
  const ranks = new Map(groupsOf(config).map(({ name, order }) => [name, order.indexOf(node.name)]));
  const scores = new Scores({
    resourceOf: (group) => files.resourceOf(group),
    update: (args) => run('attrd_updater', args),
    failed: (reason) => log.warn(`Pacemaker doesn't know how ready this node is: ${reason}`),
  });
  return ({ group, ready, served }, owned) => {
    // An agent that plays one round and ends is none to prefer this node for.
    const score = promotionScore(ranks.get(group) ?? 0, ready && resident, owned, !served);
    scores.set(group, score, performance.now());
  };
};
