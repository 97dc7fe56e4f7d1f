import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { bringUp } from '../../test/lab/cluster.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import { HOMES, untilShares } from '../../test/lab/shares.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { usageOf } from '../idle/usage.ts';
import { allowFlows } from '../limits.ts';
import { buildPrograms, programFile } from '../program-files.ts';
import { progress } from '../progress.ts';
import { report } from './report.ts';

const PROGRAMS = ['agent', 'conntrackd'] as const;

/** What one program used while nothing happened but rounds of refreshing. */
export interface RefreshResult {
  readonly node: 'owner' | 'replica';
  readonly program: (typeof PROGRAMS)[number];
  /** The owner's; the replica has their copies. */
  readonly flows: number;
  /** Which part of them is touched in a round. */
  readonly touched: string;
  /** Milliseconds of processor time a second, user and system. */
  readonly busyMs: number;
}

export interface Results {
  readonly environment: Environment;
  /** Of the last minute, when it began. */
  readonly load: number;
  readonly seconds: number;
  readonly results: readonly RefreshResult[];
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

interface Size {
  readonly flows: number;
  readonly seconds: number;
  readonly settleMs: number;
}

/** In the full one five rounds: with the kernel's timeouts one begins every six seconds. No comparison falls in it. */
const SIZE: Readonly<Record<'full' | 'quick', Size>> = {
  full: { flows: 100_000, seconds: 30, settleMs: 8000 },
  quick: { flows: 5000, seconds: 6, settleMs: 1000 },
};
/** At which they are made; conntrackd keeps up with it. */
const FLOWS_PER_SECOND = 50_000;

/** Seconds that the flows have left at first: who has less than sixty is touched in every round. */
const CLASSES = [
  { touched: '1/32', timeout: 432_000 },
  { touched: 'all', timeout: 59 },
] as const;

/** Two nodes without a manager and without packets: all that is used is for looking and touching. */
export const measureRefresh = async ({ quick, json }: Options): Promise<void> => {
  const environment = await readEnvironment();
  const [load = 0] = loadavg();
  const size = SIZE[quick ? 'quick' : 'full'];
  allowFlows(size.flows + 1000);
  await buildPrograms();
  progress('no flows');
  const all = [await measureOne({ ...size, flows: 0 }, { touched: 'none', timeout: 0 })];
  for (const each of CLASSES) {
    progress(`${size.flows} flows, ${each.touched} touched in a round`);
    all.push(await measureOne(size, each));
  }
  progress('done');
  const results: Results = { environment, load, seconds: size.seconds, results: all.flat() };
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  console.log(report(results));
};

const measureOne = async (
  { flows, seconds, settleMs }: Size,
  { touched, timeout }: { readonly touched: string; readonly timeout: number },
): Promise<readonly RefreshResult[]> => {
  const lab = await Lab.create({ nodes: 2, clients: 0, cluster: { snat: true, manager: 'none' } });
  try {
    await Promise.all(lab.nodes.map((node) => bringUp(node, 'none')));
    await untilShares(lab, HOMES);
    const programs = (['owner', 'replica'] as const).flatMap((node, index) =>
      PROGRAMS.map((program) => ({ node, program, pid: lab.node(index + 1).daemon(program).pid })),
    );
    if (flows > 0) {
      const fill = [process.execPath, programFile('fill'), 'insert', flows, FLOWS_PER_SECOND, timeout];
      await lab.node('fw1').run(fill.map(String));
    }
    await sleep(settleMs);
    const used = () => Promise.all(programs.map(({ pid }) => usageOf(pid)));
    const [before, began] = [await used(), performance.now()];
    await sleep(seconds * 1000);
    const [after, passed] = [await used(), (performance.now() - began) / 1000];
    const busy = (index: number) => (after[index]?.userMs ?? 0) + (after[index]?.systemMs ?? 0);
    const busyBefore = (index: number) => (before[index]?.userMs ?? 0) + (before[index]?.systemMs ?? 0);
    return programs.map(({ node, program }, index) => ({
      node,
      program,
      flows,
      touched,
      busyMs: (busy(index) - busyBefore(index)) / passed,
    }));
  } finally {
    await lab.close();
  }
};
