import { setTimeout as delay } from 'node:timers/promises';
import type { Agent } from '../agent/agent.ts';
import { type Alter, assemble } from '../agent/assemble.ts';
import { AgentFiles } from '../agent/files.ts';
import { agentInTheWay, watchHeart } from '../agent/in-the-way.ts';
import { hearsAll, isSettled, mayBeAsked } from '../agent/settled.ts';
import { readKey } from '../config/key.ts';
import { dataPlaneId, loadDataPlane } from '../dataplane/load.ts';
import { type Logger, openLog } from '../system/log.ts';
import { type Context, requireRoot } from './context.ts';
import { listen } from './listen.ts';
import { prepareRun } from './prepare.ts';

/** How long a peer that lives may take to be heard: it says something every 100 ms. */
const HEAR_MS = 400;
/** How long a peer may take to ask or to answer. */
const WORDS_MS = 5000;
/** How long adopting what was taken over may take. */
const ADOPT_MS = 60_000;

/**
 * `run --once`: what hooks start when no agent runs. The same agent plays rounds until the manager's last words are carried
 * out and the flows adopted, renews the lease of what this node owns, and ends. An agent that has hung is ended first, since
 * it holds the channel to the peers. Where an agent is well or being started, or the operator has stopped the node, there is
 * nothing to do; an agent that is started ends it.
 */
export const runOnce = async (context: Context, alter?: Alter): Promise<void> => {
  requireRoot('run --once');
  const { config, node, groups } = context;
  const before = new AgentFiles(config.paths.run);
  if (before.isStopped) {
    return;
  }
  before.prepare();
  // Before it looks whether the agent is being started: either sees the other, and this is who gives way.
  before.noteStandIn();
  const running = await agentInTheWay(watchHeart(before));
  if (before.isStopped || running === 'well') {
    return;
  }
  const key = await readKey(config.sync.key);
  const log = openLog(config, node.name);
  if (running !== undefined) {
    await endHung(before, running, log);
  }
  // A hung agent's place is to be taken within a second, before its peer asks: what is loaded isn't looked through.
  const id = (await dataPlaneId(config)) ?? (await loadDataPlane(config, node)).id;
  const files = await prepareRun(config, groups);
  if (files.isStopped || files.startingAgent() !== undefined) {
    // `stop` waits for this process, and takes down what it has loaded.
    return;
  }
  const { agent, close } = await assemble(config, node, key, log, id, alter === undefined ? {} : { alter });
  try {
    await agent.start();
    // Pacemaker has the new owner ask as soon as the old one's word is taken; a peer that isn't heard is not asked.
    await until(agent, () => hearsAll(agent.round), HEAR_MS);
    const ears = listen(config, files, agent, log);
    const settled = (): boolean => isSettled(agent.round) && !mayBeAsked(agent.round) && !agent.committing;
    await until(agent, settled, WORDS_MS);
    await until(agent, () => !agent.committing, ADOPT_MS);
    await until(agent, () => agent.adopted, ADOPT_MS);
    ears.close();
  } finally {
    await close();
  }
};

const endHung = async (files: AgentFiles, pid: number, log: Logger): Promise<void> => {
  log.error(`the agent (process ${pid}) has stood still for ${files.beatAge().toFixed(0)} s: ending it`);
  process.kill(pid, 'SIGKILL');
  const end = performance.now() + 2000;
  while (files.runningAgent() === pid && performance.now() < end) {
    await delay(10);
  }
};

const until = async (agent: Agent, holds: () => boolean, bound: number): Promise<void> => {
  const end = performance.now() + bound;
  while (!holds() && performance.now() < end) {
    await Promise.race([agent.nextRound(), delay(50)]);
  }
};
