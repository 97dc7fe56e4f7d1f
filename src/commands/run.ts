import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Agent } from '../agent/agent.ts';
import { type Alter, assemble } from '../agent/assemble.ts';
import { type ControlRequest, serveControl } from '../agent/control.ts';
import { AgentFiles } from '../agent/files.ts';
import { agentRuns } from '../agent/presence.ts';
import { endStandIn } from '../agent/stand-in.ts';
import { readKey } from '../config/key.ts';
import { checkConfiguration } from '../conntrackd/check.ts';
import { loadDataPlane } from '../dataplane/load.ts';
import { ownAddresses } from '../dataplane/own-addresses.ts';
import { OtherAgentError } from '../peers/link.ts';
import { type Logger, openLog } from '../system/log.ts';
import { reportCapacity } from './capacity.ts';
import { type Context, groupsMeant, RefusedError, requireRoot, socketPath } from './context.ts';
import { drain, resume } from './drain.ts';
import { listen } from './listen.ts';
import { release, takeOver } from './operate.ts';
import { prepareRun } from './prepare.ts';

/** Longer than `start` takes. */
const PATIENCE_MS = 10_000;

/** `run`: the agent in the foreground, until SIGTERM or SIGINT. Loads the data plane if need be. */
export const runAgent = async (context: Context, alter?: Alter): Promise<void> => {
  requireRoot('run');
  const { config, node, groups } = context;
  const key = await readKey(config.sync.key);
  const socket = socketPath(config);
  if (await agentRuns(socket)) {
    throw new RefusedError(`another agent runs on this node (${socket}); stop it first, or use it`);
  }
  const files = new AgentFiles(config.paths.run);
  // hooks/start-agent has said so already; by hand nobody has.
  files.noteStarting();
  const log = openLog(config, node.name);
  await reportConntrackd(context, log);
  const { id, fresh, warnings } = await loadDataPlane(config, node).catch((error: unknown) => {
    files.abandonStarting();
    throw error;
  });
  for (const warning of warnings) {
    log.warn(warning);
  }
  reportCapacity(
    config,
    (line) => log.info(line),
    (line) => log.warn(line),
  );
  await prepareRun(config, groups);
  files.noteStopped(false);
  await endStandIn(files, log);
  const { agent, close } = await assemble(config, node, key, log, id, {
    ...(alter === undefined ? {} : { alter }),
    resident: true,
    told: warnings,
  });
  const doors: { close: () => void }[] = [];
  try {
    await startPatiently(agent, () => endStandIn(files, log));
    files.forgetStarting();
    if (config.manager === 'none' && fresh) {
      for (const group of groups.filter(({ home }) => home === node.name)) {
        agent.want(group.name, 'start', 'owner', 'start');
      }
    }
    doors.push(await serveControl(socket, (request) => answer(agent, context, request)));
    doors.push(listen(config, files, agent, log));
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
  const { config, node, groups } = context;
  switch (request.command) {
    case 'status':
      return agent.status();
    case 'mend':
      return agent.mend();
    case 'takeover':
      return takeOver(agent, config, groupsMeant(groups, request.target), request.force);
    case 'release':
      return release(agent, config, groupsMeant(groups, request.target), request.force);
    case 'drain':
      return drain(agent, config, groups, request.force);
    case 'resume':
      return resume(
        agent,
        config,
        groups.filter(({ home }) => home === node.name),
        request.force,
      );
  }
};

/** Where `start` is just asking the peers, its end is awaited; a stand-in is ended. */
const startPatiently = async (agent: Agent, giveWay: () => Promise<void>): Promise<void> => {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await agent.start();
    } catch (error) {
      if (!(error instanceof OtherAgentError) || performance.now() >= end) {
        throw error;
      }
      await giveWay();
      await delay(200);
    }
  }
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
  const own = await ownAddresses(node);
  for (const { line, what, why, mend } of checkConfiguration(text, config, node, own)) {
    log.warn(`${path}:${line}: ${what}: ${why}; ${mend}`);
  }
};

const ended = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
