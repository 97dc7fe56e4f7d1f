import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Daemon } from '../../test/lab/rig/daemon.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { HOMES, untilShares } from '../../test/lab/shares.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { buildPrograms, programFile } from '../program-files.ts';
import { progress } from '../progress.ts';
import { report } from './report.ts';
import { type Usage, usageOf } from './usage.ts';

/** What one program of a node used in one second while nothing happened. */
export interface IdleResult {
  readonly node: string;
  readonly program: 'agent' | 'conntrackd' | 'keepalived';
  /** Milliseconds of processor time a second. */
  readonly userMs: number;
  readonly systemMs: number;
  /** At the end. */
  readonly residentBytes: number;
  readonly processes: number;
  /** Of it, JavaScript's objects; only the agent has them. */
  readonly heapBytes: number | undefined;
}

export interface Results {
  readonly environment: Environment;
  /** Of the last minute, when it began. */
  readonly load: number;
  readonly seconds: number;
  readonly programs: readonly IdleResult[];
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

const SECONDS = { full: 30, quick: 3 };
/** After the start: the first comparison and what V8 compiles then are over. */
const SETTLE_MS = { full: 15_000, quick: 0 };

const memoryLine = z.object({ memory: z.object({ rss: z.number(), heapUsed: z.number() }) });

type Programs = Readonly<Record<IdleResult['program'], Daemon>>;

/** Two nodes with real conntrackd and keepalived, and no traffic. */
export const measureIdle = async ({ quick, json }: Options): Promise<void> => {
  const environment = await readEnvironment();
  const [load = 0] = loadavg();
  const length = quick ? 'quick' : 'full';
  await buildPrograms();
  progress('two nodes start');
  const lab = await Lab.create({ nodes: 2, clients: 0, cluster: { snat: true, manager: 'keepalived' } });
  try {
    const nodes = await Promise.all(lab.nodes.map(async (node) => ({ node, programs: await bringUp(node) })));
    await untilShares(lab, HOMES);
    await sleep(SETTLE_MS[length]);
    progress(`nothing happens for ${SECONDS[length]} s`);
    const programs = await Promise.all(
      nodes.map(({ node, programs }) => watch(node, programs, SECONDS[length])),
    );
    progress('done');
    const results: Results = { environment, load, seconds: SECONDS[length], programs: programs.flat() };
    if (json !== undefined) {
      await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
    }
    console.log(report(results));
  } finally {
    await lab.close();
  }
};

const bringUp = async (node: FirewallNode): Promise<Programs> => {
  await node.boot();
  const conntrackd = await node.startConntrackd(await node.product(['render', 'conntrackd']));
  const argv = [process.execPath, programFile('idle-agent'), '-c', '/etc/conntrack-ha/cluster.yaml', 'run'];
  const agent = await node.machine.spawn('agent', argv);
  await until(`the agent of ${node.name}`, () => node.product(['status', '--json']), 15_000);
  const keepalived = await node.startKeepalived(await node.product(['render', 'keepalived']));
  return { agent, conntrackd, keepalived };
};

const watch = async (
  { name: node }: FirewallNode,
  programs: Programs,
  seconds: number,
): Promise<readonly IdleResult[]> => {
  const began = performance.now();
  const before = await usages(programs);
  await sleep(seconds * 1000);
  const after = await usages(programs);
  const passed = (performance.now() - began) / 1000;
  const heapBytes = await heapOf(programs.agent);
  return (['agent', 'conntrackd', 'keepalived'] as const).map((program) => ({
    node,
    program,
    userMs: (after[program].userMs - before[program].userMs) / passed,
    systemMs: (after[program].systemMs - before[program].systemMs) / passed,
    residentBytes: after[program].residentBytes,
    processes: after[program].processes,
    heapBytes: program === 'agent' ? heapBytes : undefined,
  }));
};

const usages = async (programs: Programs): Promise<Readonly<Record<IdleResult['program'], Usage>>> => {
  const [agent, conntrackd, keepalived] = await Promise.all([
    usageOf(programs.agent.pid),
    usageOf(programs.conntrackd.pid),
    usageOf(programs.keepalived.pid),
  ]);
  return { agent, conntrackd, keepalived };
};

const heapOf = async (agent: Daemon): Promise<number> => {
  await agent.kill('SIGUSR2');
  const line = await until(
    'how much memory the agent uses',
    async () => (await agent.output()).split('\n').find((text) => text.startsWith('{"memory":')),
    5000,
  );
  return memoryLine.parse(JSON.parse(line ?? '')).memory.heapUsed;
};
