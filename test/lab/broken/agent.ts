import { setTimeout as delay } from 'node:timers/promises';
import type { Alter } from '../../../src/agent/assemble.ts';
import { runProgram } from '../../../src/commands/program.ts';
import { listLinks } from '../../../src/kernel/links.ts';
import type { ExternalCache } from '../../../src/transitions/edges.ts';
import { NO_ROOM_WATCH } from '../../support/no-room-watch.ts';

/** Replaces what is done with conntrackd's external cache. */
const withExternal =
  (change: Partial<ExternalCache>): Alter =>
  (parts) => {
    const { external } = parts.edges;
    return external === undefined
      ? parts
      : { ...parts, edges: { ...parts.edges, external: { ...external, ...change } } };
  };

/** The product with one mechanism taken out, named by LAB_BREAK: what the flows' survival is owed to. */
const BREAKS: Readonly<Record<string, Alter>> = {
  /** No flow is ever touched: what a survivor took over never comes into its internal cache. */
  adopt: (parts) => ({
    ...parts,
    edges: {
      ...parts.edges,
      table: { ...parts.edges.table, touch: async () => ({ done: 0, missing: 0 }) },
    },
  }),
  /** What stands in conntrackd's internal cache stays there, also what is not this node's. */
  disown: (parts) => ({
    ...parts,
    edges: { ...parts.edges, cache: { ...parts.edges.cache, flush: async () => {} } },
  }),
  /** No copy at a replica is kept from expiring. */
  refresh: (parts) => ({ ...parts, refresh: () => Number.POSITIVE_INFINITY }),
  /** Nothing is taken out: it compares every six seconds, so that a test needn't wait for a minute. */
  hasty: (parts) => ({ ...parts, verify: 6000 }),
  /** It compares with a peer once, and believes for ever what it found. */
  believing: (parts) => ({ ...parts, verify: Number.POSITIVE_INFINITY }),
  /** What a comparison finds is left as it is: the owner isn't told what is missing, and nothing stale is deleted. */
  mend: (parts) => ({
    ...parts,
    edges: {
      ...parts.edges,
      table: { ...parts.edges.table, remove: async () => ({ done: 0, missing: 0 }) },
    },
    listOf: async (...owner) => {
      const list = await parts.listOf(...owner);
      return { ...list, missing: () => list.missing([]) };
    },
  }),
  /** The old owner answers the word before it closes, and closes three seconds later. */
  order: (parts) => ({
    ...parts,
    edges: {
      ...parts.edges,
      owned: {
        ...parts.edges.owned,
        change: async (change) => {
          if (change.remove.length > 0) {
            void delay(3000).then(() => parts.edges.owned.change({ add: [], remove: change.remove }));
          }
          await parts.edges.owned.change({ add: change.add, remove: [] });
        },
      },
    },
  }),
  /** `replicas: cache`: a bucket is activated without its states in the kernel. */
  commit: withExternal({
    commit: async () => ({ committed: 0, refused: 0, milliseconds: 0 }),
  }),
  /** `replicas: cache`: the old owner answers before its last states have left. */
  send: withExternal({ sent: async () => true }),
  /** `replicas: cache`: what was taken over stays in the external cache, for the next commit. */
  empty: withExternal({ flush: async () => {} }),
  /** The old owner closes, and never says so. */
  mute: (parts) => ({ ...parts, answerWord: () => {} }),
  /** It says so twice. */
  echo: (parts) => ({
    ...parts,
    answerWord: (send) => {
      send();
      send();
    },
  }),
  /** It says so when the new owner no longer waits for it. */
  late: (parts) => ({ ...parts, answerWord: (send) => void delay(1000).then(send) }),
  /** Nobody gives back what this node has lost. */
  recall: (parts) => ({
    ...parts,
    copiesAt: async () => ({ hashes: nothing(), missing: async () => 0, close: () => {} }),
  }),
  /** Rules that another program has removed stay so. */
  guard: (parts) => ({
    ...parts,
    tables: {
      hookOf: () => 'right',
      generation: async () => 0,
      damage: async () => undefined,
      mend: async () => {},
      rivals: async () => [],
    },
  }),
  /** What others take off the interfaces stays so. */
  parts: (parts) => ({
    ...parts,
    presence: { warnings: [], failures: [], look: () => listLinks(), problem: () => undefined },
  }),
  /** Nobody says what it hears on its legs, and what comes in there, nor counts one as lost that is deaf. */
  unproven: (parts) => ({
    ...parts,
    arrivals: { own: undefined, told: () => {}, warnings: [] },
    legs: {
      look: () => {},
      problem: () => undefined,
      told: () => {},
      report: () => undefined,
      status: [],
      warnings: [],
    },
  }),
  /** Nobody looks at what the node needs of its machine. */
  surroundings: (parts) => {
    parts.surroundings.close();
    return parts;
  },
  /** It hears nobody who isn't of the cluster; to its peers it says who it is. */
  strangers: (parts) => {
    const { strangers } = parts;
    strangers.close();
    const deaf = { warnings: [], told: () => {}, claimed: () => {}, close: () => {} };
    return {
      ...parts,
      strangers: {
        ...deaf,
        get own() {
          return strangers.own;
        },
      },
    };
  },
  /** Nobody looks at what other programs do to packets. */
  others: (parts) => {
    parts.others.close();
    return parts;
  },
  /** Nobody looks whether connection tables have room. */
  room: (parts) => ({
    ...parts,
    room: NO_ROOM_WATCH,
  }),
  /** Neighbours are told nothing that they don't ask. */
  unannounced: (parts) => ({ ...parts, neighbours: { announce: () => {} } }),
  /** The kernel translates new flows also while the agent stands still. */
  unwatched: (parts) => ({ ...parts, watched: { isDue: () => false, showLife: async () => false } }),
  /** It works, and its heart beats every five seconds only, as on a machine that is many times slower. */
  heart: (parts) => {
    const beat = parts.files.beat.bind(parts.files);
    let at = performance.now() - 5000;
    parts.files.beat = () => {
      if (performance.now() - at >= 5000) {
        at = performance.now();
        beat();
      }
    };
    return parts;
  },
  /** The agent doesn't notice that it stood still. */
  still: (parts) => ({ ...parts, standStill: { look: () => 0 } }),
  /** Nothing is taken out: its clock is a paused virtual machine's (`pauseClock`). */
  clock: (parts) => parts,
  /** The same, and it doesn't compare its clock with the peers'. */
  clocks: (parts) => ({ ...parts, clocks: { heard: () => 0, awoke: () => {} } }),
  /** A returning node takes an empty list for its peer's flows, and believes that it holds them all. */
  readiness: (parts) => ({
    ...parts,
    askBulk: () => {},
    listOf: async () => ({ hashes: nothing(), missing: async () => 0, close: () => {} }),
  }),
};

/**
 * As in a virtual machine whose clock stands still while it is paused: what passed between two looks at the clock, longer than an
 * agent that runs leaves between them, has not passed for it.
 */
const pauseClock = (): void => {
  const go = performance.now.bind(performance);
  let missed = 0;
  let last = go();
  performance.now = () => {
    const real = go();
    missed += real - last > 300 ? real - last : 0;
    last = real;
    return real - missed;
  };
};

/** Ends the agent at once before it takes this step (src/transitions/steps.ts), as `LAB_BREAK=crash:release.answer` says. */
const crashAt =
  (step: string): Alter =>
  (parts) => {
    // Adopting and disowning are done at every start as well; what is meant is what follows from the change in the kernel.
    let armed = step !== 'takeover.adopt' && step !== 'release.disown';
    const reach = (reached: string): void => {
      armed ||= reached === 'takeover.activate' || reached === 'release.deactivate';
      if (armed && reached === step) {
        process.kill(process.pid, 'SIGKILL');
      }
    };
    return { ...parts, reach };
  };

async function* nothing(): AsyncIterable<readonly number[]> {}

const name = process.env['LAB_BREAK'] ?? '';
if (name.startsWith('clock')) pauseClock();
const alter = name.startsWith('crash:') ? crashAt(name.slice('crash:'.length)) : BREAKS[name];

void runProgram(process.argv, alter).then((status) => {
  process.exitCode = status;
});
