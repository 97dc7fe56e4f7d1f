import type { Agent } from '../agent/agent.ts';
import { groupNames } from '../agent/assemble.ts';
import type { AgentFiles } from '../agent/files.ts';
import type { ClusterConfig } from '../config/types.ts';
import { parseFifoLine, roleOf } from '../managers/keepalived/line.ts';
import { fifoPath } from '../managers/keepalived/render.ts';
import { WordSpool } from '../managers/keepalived/spool.ts';
import { FifoReader } from '../system/fifo.ts';
import type { Logger } from '../system/log.ts';
import { uptimeTicks } from '../system/process-start.ts';

/**
 * Hears keepalived: the lines of its FIFO, whose end is its death, and the words that its hooks leave. keepalived runs if
 * either says so.
 */
export const listen = (
  config: ClusterConfig,
  files: AgentFiles,
  agent: Agent,
  log: Logger,
): { readonly close: () => void } => {
  const runs = { fifo: false, hooks: false };
  const tell = (change: Partial<typeof runs>): void => {
    Object.assign(runs, change);
    agent.setManagerAlive(runs.fifo || runs.hooks);
  };
  // What hooks have left is older than what the FIFO says from now on.
  const spool = listenToHooks(config, files, agent, log, (hooks) => tell({ hooks }));
  const fifo = listenToFifo(config, agent, log, (writer) => tell({ fifo: writer }));
  return {
    close: () => {
      fifo.close();
      spool.close();
    },
  };
};

const listenToFifo = (
  config: ClusterConfig,
  agent: Agent,
  log: Logger,
  writer: (present: boolean) => void,
): FifoReader => {
  const path = fifoPath(config);
  const names = groupNames(config);
  return new FifoReader(path, {
    line: (text) => {
      const { line, ignored } = parseFifoLine(text, names);
      if (ignored !== undefined) {
        log.warn(`${path}: ${ignored}; ignored`);
      }
      if (line !== undefined) {
        agent.want(line.group, line.word, roleOf(line.word), 'keepalived');
      }
    },
    writer,
    garbage: (reason) => log.warn(`${path}: ignored ${reason}; only keepalived is to write there`),
  });
};

const listenToHooks = (
  config: ClusterConfig,
  files: AgentFiles,
  agent: Agent,
  log: Logger,
  keepalived: (runs: boolean) => void,
): WordSpool => {
  const names = groupNames(config);
  const directory = files.words;
  return new WordSpool(directory, files.readKeepalived(), uptimeTicks, {
    word: ({ group, word, order, keepalived: caller }) => {
      if (!names.has(group)) {
        log.warn(`${directory}: a hook was called for ${group}, which is no group of this cluster; ignored`);
        return;
      }
      agent.want(group, word, roleOf(word), 'keepalived', { order });
      if (caller !== undefined) {
        files.noteKeepalived(caller);
      }
    },
    ignored: (reason) => log.warn(`${directory}: ${reason}; ignored`),
    keepalived,
  });
};
