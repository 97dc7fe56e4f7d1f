import { setTimeout as delay } from 'node:timers/promises';
import type { Agent } from '../agent/agent.ts';
import { assemble } from '../agent/assemble.ts';
import { agentRuns } from '../agent/presence.ts';
import { readKey } from '../config/key.ts';
import { loadDataPlane } from '../dataplane/load.ts';
import { openLog } from '../system/log.ts';
import { reportCapacity } from './capacity.ts';
import { type Context, requireRoot, socketPath } from './context.ts';
import { prepareRun } from './prepare.ts';

/**
 * `start`: loads the data plane, closed. Without a manager it then activates the home groups, unless a reachable peer
 * owns them. Where an agent runs there is nothing to do.
 */
export const startNode = async (context: Context): Promise<void> => {
  requireRoot('start');
  const { config, node, groups } = context;
  const key = await readKey(config.sync.key);
  if (await agentRuns(socketPath(config))) {
    console.log(`${node.name}: the agent runs; the data plane is loaded`);
    return;
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
