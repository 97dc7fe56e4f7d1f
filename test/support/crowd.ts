import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Agent } from '../../src/agent/agent.ts';
import { EventsFile } from '../../src/agent/events-file.ts';
import { AgentFiles } from '../../src/agent/files.ts';
import { StandStill } from '../../src/agent/stand-still.ts';
import { type Group, groupsOf } from '../../src/cluster/groups.ts';
import type { Wanted } from '../../src/cluster/snapshot.ts';
import type { WordOrder } from '../../src/cluster/word-order.ts';
import { listen } from '../../src/commands/listen.ts';
import type { ClusterConfig } from '../../src/config/types.ts';
import { fifoPath } from '../../src/managers/keepalived/render.ts';
import { makeFifo } from '../../src/system/fifo.ts';
import type { Edges } from '../../src/transitions/edges.ts';
import { clusterConfig } from './cluster-config.ts';
import { NO_ROOM_WATCH } from './no-room-watch.ts';

const NODES = 16;
/** As /run is: on a disk a rename takes a hundred times longer. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
/** How long the other nodes, that aren't there, are waited for; in milliseconds. */
const PEER_MS = 200;

/** What keepalived says of a group. */
export interface GroupWord {
  readonly group: string;
  readonly word: string;
}

/**
 * The real agent of one of sixteen nodes with the real FIFO: 240 groups. The others are silent, and kernel and conntrackd are
 * in memory. For what many groups at once do to the loop.
 */
export class Crowd {
  readonly groups: readonly Group[];
  /** The kernel's set. */
  readonly owned: Set<number>;
  /** Every word that the agent has kept, in order. */
  readonly words: readonly GroupWord[];
  readonly #fifo: number;
  readonly #close: () => Promise<void>;

  private constructor(
    parts: Pick<Crowd, 'groups' | 'owned' | 'words'>,
    fifo: number,
    close: () => Promise<void>,
  ) {
    this.groups = parts.groups;
    this.owned = parts.owned;
    this.words = parts.words;
    this.#fifo = fifo;
    this.#close = close;
  }

  /** @param changed called after each change of the set */
  static async start(changed: () => void = () => {}): Promise<Crowd> {
    const run = mkdtempSync(join(MEMORY, 'conntrack-ha-crowd-'));
    const config = crowdConfig(run);
    const groups = groupsOf(config);
    const owned = new Set<number>();
    const files = new RecordingFiles(run);
    files.prepare();
    await makeFifo(fifoPath(config));
    const log = pino({ level: 'silent' });
    const agent = agentOf(config, files, log, edgesOf(owned, changed));
    await agent.start();
    // Both ways, as keepalived does (fifo(7)).
    const fifo = openSync(fifoPath(config), constants.O_RDWR | constants.O_NONBLOCK);
    const ears = listen(config, files, agent, log);
    return new Crowd({ groups, owned, words: files.kept }, fifo, async () => {
      ears.close();
      closeSync(fifo);
      await agent.stop();
      rmSync(run, { recursive: true });
    });
  }

  /** Says words as keepalived does, all in one write: at most 64 KiB. */
  say(words: readonly GroupWord[]): void {
    const text = words.map(({ group, word }) => `INSTANCE "${group}" ${word} 150\n`).join('');
    if (writeSync(this.#fifo, text) !== text.length) {
      throw new RangeError(`${text.length} bytes don't go into the FIFO at once`);
    }
  }

  close(): Promise<void> {
    return this.#close();
  }
}

class RecordingFiles extends AgentFiles {
  readonly kept: GroupWord[] = [];

  override keepWanted(group: string, wanted: Wanted, order: WordOrder): void {
    this.kept.push({ group, word: wanted.word });
    super.keepWanted(group, wanted, order);
  }
}

const crowdConfig = (run: string): ClusterConfig => {
  const base = clusterConfig();
  return {
    ...base,
    buckets: 1024,
    nodes: Array.from({ length: NODES }, (_, index) => ({
      name: `fw${index + 1}`,
      id: index + 1,
      sync: `127.0.0.${index + 1}`,
      devices: {},
    })),
    sync: { ...base.sync, interface: 'lo', port: 20_000 + 2 * (process.pid % 10_000) },
    keepalived: { ...base.keepalived, vrid: 1 },
    timeouts: { ...base.timeouts, peer: PEER_MS },
    paths: { ...base.paths, run },
  };
};

const agentOf = (config: ClusterConfig, files: AgentFiles, log: pino.Logger, edges: Edges): Agent => {
  const [node] = config.nodes;
  if (node === undefined) {
    throw new RangeError('a cluster without nodes');
  }
  return new Agent({
    config,
    node,
    key: Buffer.alloc(32, 7),
    edges,
    sorting: () => ({
      hashing: { seed: config.seed, buckets: config.buckets, legs: [], published: [] },
      replicated: () => true,
    }),
    ranges: { refused: 0, warnings: [] },
    room: NO_ROOM_WATCH,
    arrivals: { own: undefined, told: () => {}, warnings: [] },
    surroundings: { warnings: [], close: () => {} },
    strangers: { warnings: [], own: undefined, told: () => {}, claimed: () => {}, close: () => {} },
    others: { warnings: [], close: () => {} },
    keepalivedConf: { warnings: [] },
    clocks: { heard: () => 0, awoke: () => {} },
    watched: { isDue: () => false, showLife: async () => false },
    presence: { warnings: [], failures: [], look: async () => [], problem: () => undefined },
    legs: {
      look: () => {},
      problem: () => undefined,
      told: () => {},
      report: () => undefined,
      status: [],
      warnings: [],
    },
    mendNow: async () => {},
    tables: {
      hookOf: () => 'right',
      generation: async () => 1,
      damage: async () => undefined,
      mend: async () => {},
      rivals: async () => [],
    },
    files,
    log,
    events: new EventsFile(config.paths.run),
    reach: () => {},
    fresh: false,
    noteJoined: () => {},
    refresh: () => 20_000,
    verify: 60_000,
    lease: config.timeouts.lease,
    resident: true,
    flowCount: () => 0,
    conntrackdHealth: () => 'ok',
    conntrackdWarnings: () => [],
    lookForFlush: async () => {},
    flushDealtWith: () => {},
    find: async () => [],
    endings: () => [10],
    announce: ({ group, ready }) => void files.writeReady(group, ready ? 0 : -100),
    neighbours: { announce: () => {} },
    standStill: new StandStill(performance.now()),
    answerWord: (send) => send(),
    askBulk: (send) => send(),
    listOf: () => Promise.reject(new Error('nobody is there')),
    copiesAt: () => Promise.reject(new Error('nobody is there')),
  });
};

const edgesOf = (owned: Set<number>, changed: () => void): Edges => ({
  owned: {
    read: async () => new Set(owned),
    change: async ({ add, remove }) => {
      for (const bucket of remove) {
        owned.delete(bucket);
      }
      for (const bucket of add) {
        owned.add(bucket);
      }
      changed();
    },
    renew: async () => {},
  },
  table: {
    dump: async function* () {},
    touch: async () => ({ done: 0, missing: 0 }),
    remove: async () => ({ done: 0, missing: 0 }),
  },
  cache: {
    identity: async () => 'in memory',
    drained: async () => true,
    flush: async () => {},
    bulk: async () => {},
  },
});
