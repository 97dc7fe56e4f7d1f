import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Agent } from '../agent/agent.ts';
import { type Alter, assemble } from '../agent/assemble.ts';
import { type ControlRequest, serveControl } from '../agent/control.ts';
import { AgentFiles } from '../agent/files.ts';
import { openVoice, watchdogOf } from '../agent/notify-voice.ts';
import { agentRuns } from '../agent/presence.ts';
import { ServiceManager } from '../agent/service-manager.ts';
import { endStandIn } from '../agent/stand-in.ts';
import { readKey } from '../config/key.ts';
import { checkConfiguration } from '../conntrackd/check.ts';
import { loadDataPlane } from '../dataplane/load.ts';
import { ownAddresses } from '../dataplane/own-addresses.ts';
import { statusLine } from '../observe/status-line.ts';
import { OtherAgentError } from '../peers/link.ts';
import { type Logger, openLog } from '../system/log.ts';
import { reportCapacity } from './capacity.ts';
import { type Context, groupsMeant, RefusedError, requireRoot, socketPath } from './context.ts';
import { drain, resume } from './drain.ts';
import { listen } from './listen.ts';
import { release, takeOver } from './operate.ts';
import { prepareRun } from './prepare.ts';
import { untilThere } from './until-there.ts';

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
  const { id, warnings } = await loadDataPlane(config, node).catch((error: unknown) => {
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
  // Of this data plane: somebody may have loaded it, closed, as the machine booted.
  const first = !files.hasJoined(id);
  const { agent, close } = await assemble(config, node, key, log, id, {
    ...(alter === undefined ? {} : { alter }),
    resident: true,
    told: warnings,
  });
  const doors: { close: () => void }[] = [];
  try {
    await startPatiently(agent, () => endStandIn(files, log));
    files.forgetStarting();
    if (config.manager === 'none' && first) {
      void takeHome(agent, context, files, log);
    }
    doors.push(await serveControl(socket, (request) => answer(agent, context, request)));
    doors.push(listen(config, files, agent, log));
    log.info(`agent runs, manager ${config.manager}`);
    const end = ended();
    const systemd = await serviceManager(agent, log);
    await systemd?.ready();
    const signal = await end;
    log.info(`agent ends (${signal}): what this node owns it goes on filtering`);
    await systemd?.stopping();
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

/** The home groups, as soon as every interface is there; not those that the operator has decided about. */
const takeHome = async (
  agent: Agent,
  { config, node, groups }: Context,
  files: AgentFiles,
  log: Logger,
): Promise<void> => {
  try {
    await untilThere(config, node, (text) => log.warn(text));
    const home = groups.filter((group) => group.home === node.name);
    for (const { name } of home.filter((group) => files.readWanted(group.name, 0) === undefined)) {
      agent.want(name, 'start', 'owner', 'start');
    }
  } catch (error) {
    log.error(`the home groups aren't taken: ${error instanceof Error ? error.message : String(error)}`);
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

/** Undefined where nobody wants to be told. */
const serviceManager = async (agent: Agent, log: Logger): Promise<ServiceManager | undefined> => {
  const voice = await openVoice(process.env['NOTIFY_SOCKET'], log);
  return (
    voice &&
    new ServiceManager({
      voice,
      watchdog: watchdogOf(process.env, process.pid),
      status: () => statusLine(agent.status()),
      log,
    })
  );
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
