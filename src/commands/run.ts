import { readFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import type { Agent } from '../agent/agent.ts';
import { type Alter, assemble, groupNames } from '../agent/assemble.ts';
import { type ControlRequest, serveControl } from '../agent/control.ts';
import { readKey } from '../config/key.ts';
import type { ClusterConfig } from '../config/types.ts';
import { checkConfiguration } from '../conntrackd/check.ts';
import { loadDataPlane } from '../dataplane/load.ts';
import { parseFifoLine, roleOf } from '../managers/keepalived/line.ts';
import { fifoPath } from '../managers/keepalived/render.ts';
import { FifoReader, makeFifo } from '../system/fifo.ts';
import { type Logger, openLog } from '../system/log.ts';
import { type Context, groupsMeant, requireRoot, socketPath } from './context.ts';
import { release, takeOver } from './operate.ts';

/** `run`: the agent in the foreground, until SIGTERM or SIGINT. Loads the data plane if need be. */
export const runAgent = async (context: Context, alter?: Alter): Promise<void> => {
  requireRoot('run');
  const { config, node, groups } = context;
  const key = await readKey(config.sync.key);
  const log = openLog(config, node.name);
  await reportConntrackd(context, log);
  const { fresh, warnings } = await loadDataPlane(config, node);
  for (const warning of warnings) {
    log.warn(warning);
  }
  const { agent, close } = await assemble(config, node, key, log, fresh, alter);
  await agent.start();
  if (config.manager === 'none' && fresh) {
    for (const group of groups.filter(({ home }) => home === node.name)) {
      agent.want(group.name, 'start', 'owner', 'start');
    }
  }
  const control = await serveControl(socketPath(config), (request) => answer(agent, context, request));
  const fifo = config.manager === 'keepalived' ? await listen(config, agent, log) : undefined;
  log.info(`agent runs, manager ${config.manager}`);
  const signal = await ended();
  log.info(`agent ends (${signal}): what this node owns it goes on filtering`);
  fifo?.close();
  await closeServer(control);
  await close();
};

/** Reads keepalived's FIFO: its lines are the manager's word, its end the manager's death. */
const listen = async (config: ClusterConfig, agent: Agent, log: Logger): Promise<FifoReader> => {
  const names = groupNames(config);
  await makeFifo(fifoPath(config));
  return new FifoReader(fifoPath(config), {
    line: (text) => {
      const parsed = parseFifoLine(text, names);
      if ('line' in parsed) {
        const { group, word } = parsed.line;
        agent.want(group, word, roleOf(word), 'keepalived');
      } else if (parsed.ignored !== '') {
        log.warn(`${fifoPath(config)}: ${parsed.ignored}`);
      }
    },
    writer: (present) => agent.setManagerAlive(present),
    garbage: (reason) => log.warn(`${fifoPath(config)}: ignored ${reason}`),
  });
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

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });
