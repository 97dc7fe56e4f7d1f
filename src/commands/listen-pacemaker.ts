import type { Agent } from '../agent/agent.ts';
import { groupNames } from '../agent/assemble.ts';
import type { AgentFiles } from '../agent/files.ts';
import type { ClusterConfig } from '../config/types.ts';
import { pacemakerRuns } from '../managers/pacemaker/alive.ts';
import { type PacemakerWord, pacemakerWord, roleOfWord } from '../managers/pacemaker/word.ts';
import { type SpoolEvents, WordSpool } from '../managers/word-spool.ts';
import type { Logger } from '../system/log.ts';
import { uptimeTicks } from '../system/process-start.ts';

/** Hears Pacemaker: the words that its resource agent leaves. */
export const listenToPacemaker = (
  config: ClusterConfig,
  files: AgentFiles,
  agent: Agent,
  log: Logger,
): { readonly close: () => void } => {
  const names = groupNames(config);
  const directory = files.words;
  const events: SpoolEvents<PacemakerWord> = {
    word: ({ group, word, order, caller }) => {
      if (!names.has(group)) {
        log.warn(
          `${directory}: Pacemaker has a resource for ${group}, which is no group of this cluster; ignored`,
        );
        return;
      }
      if (caller !== undefined) {
        files.noteManager(caller);
      }
      agent.want(group, word, roleOfWord(word), 'pacemaker', { order });
    },
    ignored: (reason) => log.warn(`${directory}: ${reason}; ignored`),
    manager: (runs) => agent.setManagerAlive(runs),
  };
  return new WordSpool(directory, pacemakerWord, files.readManager(), uptimeTicks, events, pacemakerRuns);
};
