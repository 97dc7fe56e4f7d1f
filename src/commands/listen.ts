import type { Agent } from '../agent/agent.ts';
import { groupNames } from '../agent/assemble.ts';
import { AgentFiles } from '../agent/files.ts';
import { groupsOf } from '../cluster/groups.ts';
import type { Wanted } from '../cluster/snapshot.ts';
import type { ClusterConfig } from '../config/types.ts';
import { localAddresses } from '../kernel/links.ts';
import { parseFifoLine, roleOf } from '../managers/keepalived/line.ts';
import { fifoPath } from '../managers/keepalived/render.ts';
import { type Correction, LOOK_MS, Witness, witnessAddress } from '../managers/keepalived/witness.ts';
import { FifoReader } from '../system/fifo.ts';
import type { Logger } from '../system/log.ts';

/**
 * Reads keepalived's FIFO: its lines are the manager's word, its end the manager's death. Twice a second the witness
 * looks whether a line was lost.
 */
export const listen = (config: ClusterConfig, agent: Agent, log: Logger): { close: () => void } => {
  const path = fifoPath(config);
  const names = groupNames(config);
  const kept = wordsKept(config);
  const witness = witnessOf(config, kept);
  const reader = new FifoReader(path, {
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
    writer: (present) => {
      witness.writer(present);
      agent.setManagerAlive(present);
    },
    garbage: (reason) => log.warn(`${path}: ignored ${reason}; only keepalived is to write there`),
  });
  const stop = repeatedly(LOOK_MS, async () => {
    const local = new Set((await localAddresses()).map(({ address }) => address));
    for (const correction of witness.look(local)) {
      // The operator has overruled a word that this agent hasn't heard: the next word ends that, and this is an old one.
      if (correction.said !== undefined || kept.get(correction.group)?.by !== 'operator') {
        log.warn(sentenceOf(correction));
        agent.want(correction.group, correction.word, roleOf(correction.word), 'keepalived');
      }
    }
  });
  return {
    close: () => {
      stop();
      reader.close();
    },
  };
};

/** What an earlier agent of this node has heard. */
const wordsKept = (config: ClusterConfig): ReadonlyMap<string, Wanted | undefined> => {
  const files = new AgentFiles(config.paths.run);
  return new Map(groupsOf(config).map(({ name }) => [name, files.readWanted(name, performance.now())]));
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
  const before = said === undefined ? 'it has said nothing' : `its last line said ${said}`;
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
