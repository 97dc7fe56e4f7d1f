import type { Snapshot } from '../cluster/snapshot.ts';
import type { Warning } from '../cluster/warning.ts';
import type { OthersWatch } from '../dataplane/others/watch.ts';
import type { SurroundingsWatch } from '../dataplane/surroundings/watch.ts';
import type { ConfWatch } from '../managers/keepalived/conf-watch.ts';
import { groupStatuses, type Status } from '../observe/status.ts';
import { warningsOf } from '../observe/warnings.ts';
import type { Commits } from './commits.ts';
import type { ConntrackdNews } from './conntrackd-news.ts';
import type { DestroyedStates } from './destroyed-states.ts';
import type { Journal } from './journal.ts';
import type { LostInterfaces } from './lost-interfaces.ts';
import type { AgentParts } from './parts.ts';
import type { RangeWatch } from './range-watch.ts';
import type { Replicas } from './replicas.ts';
import type { RoundLoop } from './round-loop.ts';
import type { TableGuard } from './table-guard.ts';

/** Who each knows a part of what `status` says. */
export interface StatusSources {
  readonly manager: Status['manager'];
  readonly loop: Pick<RoundLoop, 'round' | 'failure'>;
  readonly journal: Pick<Journal, 'since'>;
  readonly replicas: Pick<Replicas, 'results' | 'comparison' | 'warnings'>;
  readonly commits: Pick<Commits, 'last'> | undefined;
  readonly destroyed: Pick<DestroyedStates, 'warnings'>;
  readonly lost: Pick<LostInterfaces, 'warnings'>;
  readonly guard: Pick<TableGuard, 'warnings'>;
  readonly presence: Pick<AgentParts['presence'], 'warnings'>;
  readonly legs: Pick<AgentParts['legs'], 'status' | 'warnings'>;
  readonly arrivals: Pick<AgentParts['arrivals'], 'warnings'>;
  readonly ranges: Pick<RangeWatch, 'refused' | 'warnings'>;
  readonly news: Pick<ConntrackdNews, 'refused'>;
  readonly room: Pick<AgentParts['room'], 'warnings'>;
  readonly surroundings: Pick<SurroundingsWatch, 'warnings'>;
  readonly strangers: Pick<AgentParts['strangers'], 'warnings'>;
  readonly others: Pick<OthersWatch, 'warnings'>;
  readonly keepalivedConf: Pick<ConfWatch, 'warnings'>;
  readonly conntrackd: () => Status['conntrackd'];
  readonly conntrackdWarnings: () => readonly Warning[];
}

/** What the agent says of itself: as the last round found it. */
export const statusOf = (snapshot: Snapshot, sources: StatusSources): Status => {
  const { loop, journal, replicas, commits, lost, guard, presence, ranges } = sources;
  const { room, surroundings, keepalivedConf } = sources;
  const decisions = loop.round?.decisions ?? [];
  return {
    node: snapshot.node,
    manager: sources.manager,
    drained: snapshot.drained,
    groups: groupStatuses(snapshot, decisions, (group) => journal.since(group)),
    peers: snapshot.peers.map(({ name, reachable }) => ({ name, reachable })),
    conntrackd: sources.conntrackd(),
    verified: replicas.results,
    comparing: replicas.comparison,
    commit: commits?.last ?? null,
    refused: ranges.refused + sources.news.refused,
    legs: sources.legs.status,
    warnings: [
      ...warningsOf(snapshot, decisions),
      ...replicas.warnings,
      ...sources.destroyed.warnings,
      ...lost.warnings,
      ...presence.warnings,
      ...sources.legs.warnings,
      ...sources.arrivals.warnings,
      ...guard.warnings,
      ...ranges.warnings,
      ...room.warnings,
      ...surroundings.warnings,
      ...sources.strangers.warnings,
      ...sources.others.warnings,
      ...keepalivedConf.warnings,
      ...(loop.failure === '' ? [] : [roundFailed(snapshot.node, loop.failure)]),
      ...sources.conntrackdWarnings(),
    ],
  };
};

const roundFailed = (node: string, failure: string): Warning => ({
  code: 'round-failed',
  object: node,
  text: `this node can't decide anything: ${failure}; it tries again ten times a second`,
});
