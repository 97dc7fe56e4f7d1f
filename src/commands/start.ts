import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { Agent } from '../agent/agent.ts';
import { assemble } from '../agent/assemble.ts';
import { askAgent } from '../agent/control.ts';
import { AgentFiles } from '../agent/files.ts';
import { agentRuns } from '../agent/presence.ts';
import { readKey } from '../config/key.ts';
import { loadHelpers } from '../dataplane/helper-modules.ts';
import { loadDataPlane } from '../dataplane/load.ts';
import { openLog } from '../system/log.ts';
import { reportCapacity } from './capacity.ts';
import { type Context, RefusedError, requireRoot, socketPath } from './context.ts';
import { prepareRun } from './prepare.ts';
import { untilThere } from './until-there.ts';

/** What an agent that has to load rules may take to mend. */
const MEND_MS = 30_000;

export interface StartOptions {
  /** No more than that, whatever the manager is. */
  readonly closed: boolean;
}

/**
 * `start`: loads the data plane, closed. Without a manager it then activates the home groups, unless a reachable peer
 * owns them; where an interface is missing it waits for that, closed. Where an agent runs, that mends what is missing.
 */
export const startNode = async (context: Context, { closed }: StartOptions): Promise<void> => {
  requireRoot('start');
  const { config, node, groups } = context;
  if (closed) {
    return startClosed(context);
  }
  const key = await readKey(config.sync.key);
  if (await agentRuns(socketPath(config))) {
    return mendByAgent(context);
  }
  const { id, fresh, warnings } = await loadDataPlane(config, node);
  const files = await prepareRun(config, groups);
  files.noteStopped(false);
  const warn = (warning: string) => console.error(`warning: ${warning}`);
  warnings.forEach(warn);
  console.log(`${node.name}: the data plane ${fresh ? 'is loaded, closed' : 'was loaded already'}`);
  reportCapacity(config, (line) => console.log(`${node.name}: ${line}`), warn);
  if (config.manager !== 'none') {
    console.log(
      `${node.name}: ${config.manager} decides who owns what; start it and the agent: conntrack-ha run`,
    );
    return;
  }
  await untilThere(config, node, (text) => console.error(`${node.name}: ${text}`));
  const log = openLog({ log: { level: 'warn', format: 'text' } }, node.name, process.stderr);
  const { agent, close } = await assemble(config, node, key, log, id);
  try {
    await agent.start();
    const home = groups.filter((group) => group.home === node.name);
    for (const { name } of home) {
      agent.want(name, 'start', 'owner', 'start');
    }
    await decided(agent, config.timeouts.peer);
    report(agent, node.name);
  } finally {
    await close();
  }
};

/**
 * As the machine boots, before its network is there: nothing is activated, waited for or warned of, since the agent says it all
 * again. What the operator has stopped stays so.
 */
const startClosed = async (context: Context): Promise<void> => {
  const { config, node } = context;
  // Beside an agent too, which may not (conf/conntrack-ha.service).
  await loadHelpers(config);
  if (await agentRuns(socketPath(config))) {
    // What that can't mend it says itself.
    await askAgent(socketPath(config), { command: 'mend' }, MEND_MS);
    console.log(`${node.name}: the agent runs, and has looked at the data plane`);
    return;
  }
  if (new AgentFiles(config.paths.run).isStopped) {
    console.log(`${node.name}: stopped by the operator; nothing is loaded`);
    return;
  }
  const { fresh } = await loadDataPlane(config, node);
  console.log(`${node.name}: the data plane ${fresh ? 'is loaded, closed' : 'was loaded already'}`);
};

/** Throws what `askAgent` throws, and RefusedError if something can't be mended. */
const mendByAgent = async ({ config, node }: Context): Promise<void> => {
  const left = z.array(z.string()).parse(await askAgent(socketPath(config), { command: 'mend' }, MEND_MS));
  if (left.length > 0) throw new RefusedError(left.join('; '));
  console.log(`${node.name}: the agent runs; the data plane is loaded and whole`);
};

/** Every peer has had the time to answer, and the round after that has been played. */
const decided = async (agent: Agent, peerTimeout: number): Promise<void> => {
  const end = performance.now() + peerTimeout;
  while (performance.now() < end && agent.status().peers.some(({ reachable }) => !reachable)) {
    await Promise.race([agent.nextRound(), delay(50)]);
  }
  await delay(50);
  await agent.wake();
};

const report = (agent: Agent, node: string): void => {
  for (const { name, home, buckets, role, owner, reason } of agent.status().groups) {
    if (role === 'owner') {
      console.log(`${node}: owns ${name} (${buckets} buckets): ${reason}`);
    } else if (home === node) {
      console.log(`${node}: doesn't own ${name} (${owner ?? 'nobody'} does): ${reason}`);
    }
  }
};
