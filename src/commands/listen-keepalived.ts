import type { Agent } from '../agent/agent.ts';
import { groupNames } from '../agent/assemble.ts';
import type { AgentFiles } from '../agent/files.ts';
import { groupsOf } from '../cluster/groups.ts';
import type { Wanted } from '../cluster/snapshot.ts';
import type { ClusterConfig } from '../config/types.ts';
import { localAddresses } from '../kernel/links.ts';
import { type KeepalivedWord, parseFifoLine, roleOf, wordOf } from '../managers/keepalived/line.ts';
import { fifoPath } from '../managers/keepalived/render.ts';
import { type Correction, LOOK_MS, Witness, witnessAddress } from '../managers/keepalived/witness.ts';
import { WordSpool } from '../managers/word-spool.ts';
import { FifoReader } from '../system/fifo.ts';
import type { Logger } from '../system/log.ts';
import { uptimeTicks } from '../system/process-start.ts';

/** What the three ears share. */
interface Hearing {
  readonly config: ClusterConfig;
  readonly files: AgentFiles;
  readonly agent: Agent;
  readonly log: Logger;
  readonly witness: Witness;
  readonly names: ReadonlySet<string>;
}

/**
 * Hears keepalived: the lines of its FIFO, whose end is its death, and the words that its hooks leave; it runs if either
 * says so. Twice a second the witness looks whether a word was lost.
 */
export const listenToKeepalived = (
  config: ClusterConfig,
  files: AgentFiles,
  agent: Agent,
  log: Logger,
): { readonly close: () => void } => {
  const kept = new Map(groupsOf(config).map(({ name }) => [name, files.readWanted(name, performance.now())]));
  const witness = witnessOf(config, kept);
  const hearing: Hearing = { config, files, agent, log, witness, names: groupNames(config) };
  const runs = { fifo: false, hooks: false };
  const tell = (change: Partial<typeof runs>): void => {
    Object.assign(runs, change);
    agent.setManagerAlive(runs.fifo || runs.hooks);
  };
  // What hooks have left is older than what the FIFO says from now on.
  const spool = hearHooks(hearing, (hooks) => tell({ hooks }));
  const fifo = hearFifo(hearing, (writer) => {
    witness.writer(writer);
    tell({ fifo: writer });
  });
  const stop = repeatedly(LOOK_MS, () => lookAtAddresses(hearing));
  return {
    close: () => {
      stop();
      fifo.close();
      spool.close();
    },
  };
};

const hearFifo = (
  { config, agent, log, witness, names }: Hearing,
  writer: (present: boolean) => void,
): FifoReader => {
  const path = fifoPath(config);
  return new FifoReader(path, {
    line: (text) => {
      const { line, ignored } = parseFifoLine(text, names);
      if (ignored !== undefined) {
        log.warn(`${path}: ${ignored}; ignored`);
      }
      if (line !== undefined) {
        witness.heard(line.group, line.word);
        agent.want(line.group, line.word, roleOf(line.word), 'keepalived');
      }
    },
    writer,
    garbage: (reason) => log.warn(`${path}: ignored ${reason}; only keepalived is to write there`),
  });
};

const hearHooks = (
  { files, agent, log, witness, names }: Hearing,
  manager: (runs: boolean) => void,
): WordSpool<KeepalivedWord> => {
  const directory = files.words;
  return new WordSpool(directory, wordOf, files.readManager(), uptimeTicks, {
    word: ({ group, word, order, caller }) => {
      if (!names.has(group)) {
        log.warn(`${directory}: a hook was called for ${group}, which is no group of this cluster; ignored`);
        return;
      }
      if (agent.want(group, word, roleOf(word), 'keepalived', { order })) {
        witness.heard(group, word);
      }
      if (caller !== undefined) {
        files.noteManager(caller);
      }
    },
    ignored: (reason) => log.warn(`${directory}: ${reason}; ignored`),
    manager,
  });
};

const lookAtAddresses = async ({ agent, files, log, witness }: Hearing): Promise<void> => {
  const local = new Set((await localAddresses()).map(({ address }) => address));
  for (const correction of witness.look(local)) {
    // The operator has overruled a word that this agent hasn't heard: the next word ends that, and this is an old one.
    const overruled = files.readWanted(correction.group, performance.now(), 'overruling') !== undefined;
    if (correction.said !== undefined || !overruled) {
      if (correction.word === 'MASTER' && correction.said === undefined) {
        log.info(`keepalived is MASTER for ${correction.group}: its address ${correction.address} is there`);
      } else {
        log.warn(sentenceOf(correction));
      }
      agent.want(correction.group, correction.word, roleOf(correction.word), 'keepalived');
    }
  }
};

const witnessOf = (config: ClusterConfig, kept: ReadonlyMap<string, Wanted | undefined>): Witness =>
  new Witness(
    groupsOf(config).map(({ name }, index) => {
      const last = kept.get(name);
      return {
        group: name,
        address: witnessAddress(config.keepalived.vrid + index),
        word: last?.by === 'keepalived' ? last.word : undefined,
      };
    }),
  );

const sentenceOf = ({ group, word, address, said }: Correction): string => {
  const before = `its last line said ${said ?? 'nothing'}`;
  return word === 'MASTER'
    ? `keepalived is MASTER for ${group} (its address ${address} is there), though ${before}: a line was lost`
    : `keepalived is not MASTER for ${group} (its address ${address} is gone), though ${before}: a line was lost`;
};

/** Acts again and again, `milliseconds` after the last time, until told to stop. What fails is tried again. */
const repeatedly = (milliseconds: number, act: () => Promise<void>): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const next = (): void => {
    if (!stopped) {
      timer = setTimeout(() => act().then(next, next), milliseconds);
    }
  };
  next();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
};
