import { readFile } from 'node:fs/promises';
import type { Agent } from '../agent/agent.ts';
import { type Alter, assemble } from '../agent/assemble.ts';
import { type ControlRequest, serveControl } from '../agent/control.ts';
import { agentRuns } from '../agent/presence.ts';
import { readKey } from '../config/key.ts';
import { checkConfiguration } from '../conntrackd/check.ts';
import { loadDataPlane } from '../dataplane/load.ts';
import { type Logger, openLog } from '../system/log.ts';
import { type Context, groupsMeant, RefusedError, requireRoot, socketPath } from './context.ts';
import { listen } from './listen.ts';
import { release, takeOver } from './operate.ts';
import { prepareRun } from './prepare.ts';

/** `run`: the agent in the foreground, until SIGTERM or SIGINT. Loads the data plane if need be. */
export const runAgent = async (context: Context, alter?: Alter): Promise<void> => {
  requireRoot('run');
  const { config, node, groups } = context;
  const key = await readKey(config.sync.key);
  const socket = socketPath(config);
  if (await agentRuns(socket)) {
    throw new RefusedError(`another agent runs on this node (${socket}); stop it first, or use it`);
  }
  const log = openLog(config, node.name);
  await reportConntrackd(context, log);
  const { id, fresh, warnings } = await loadDataPlane(config, node);
  for (const warning of warnings) {
    log.warn(warning);
  }
  const { agent, close } = await assemble(config, node, key, log, id, alter);
  const doors: { close: () => void }[] = [];
  try {
    await prepareRun(config, groups);
    await agent.start();
    if (config.manager === 'none' && fresh) {
      for (const group of groups.filter(({ home }) => home === node.name)) {
        agent.want(group.name, 'start', 'owner', 'start');
      }
    }
    doors.push(await serveControl(socket, (request) => answer(agent, context, request)));
    if (config.manager === 'keepalived') {
      doors.push(listen(config, agent, log));
    }
    log.info(`agent runs, manager ${config.manager}`);
    const signal = await ended();
    log.info(`agent ends (${signal}): what this node owns it goes on filtering`);
  } finally {
    for (const door of doors) {
      door.close();
    }
    await close();
  }
};

const answer = async (agent: Agent, context: Context, request: ControlRequest): Promise<unknown> => {
  if (request.command === 'status') {
    return agent.status();
  }
  const meant = groupsMeant(context.groups, request.target);
  return request.command === 'takeover'
    ? takeOver(agent, context.config, meant, request.force)
    : release(agent, context.config, meant, request.force);
};

/** What in the administrator's conntrackd.conf would lose flows is said before anything happens. */
const reportConntrackd = async ({ config, node }: Context, log: Logger): Promise<void> => {
  const path = config.paths.conntrackdConf;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    log.warn(`${path}: can't be read; make it with: conntrack-ha render conntrackd > ${path}`);
    return;
  }
  for (const { line, what, why, mend } of checkConfiguration(text, config, node)) {
    log.warn(`${path}:${line}: ${what}: ${why}; ${mend}`);
  }
};

const ended = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
