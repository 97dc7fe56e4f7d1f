import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { Lab } from '../../test/lab/rig/lab.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { until } from '../../test/lab/rig/wait.ts';
import { HOMES, untilShares } from '../../test/lab/shares.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { usageOf } from '../idle/usage.ts';
import { allowFlows } from '../limits.ts';
import { buildPrograms, programFile } from '../program-files.ts';
import { progress } from '../progress.ts';
import { MeasuredAgent, type Turns } from '../takeover/agent.ts';
import { fill, fillAgain, grows, kernelCount } from '../takeover/counts.ts';
import { type Compared, comparisonsIn } from './comparisons.ts';
import { report } from './report.ts';

const PROGRAMS = ['owner agent', 'owner conntrackd', 'replica agent', 'replica conntrackd'] as const;
type ProgramName = (typeof PROGRAMS)[number];

/** One comparison. */
export interface VerifyResult extends Compared {
  /** Milliseconds of processor time that each program used from its begin to its end. */
  readonly usedMs: Readonly<Record<ProgramName, number>>;
  /** What each would have used in that time without a comparison, by the seconds before. */
  readonly anywayMs: Readonly<Record<ProgramName, number>>;
  /** Longest turns of the agents' event loops in it. */
  readonly owner: Turns;
  readonly replica: Turns;
}

/** A number of comparisons of so many flows. */
export interface Series {
  readonly flows: number;
  /** So many came a second, and as many went; measured. */
  readonly churn: number;
  readonly results: readonly VerifyResult[];
}

export interface Results {
  readonly environment: Environment;
  /** Of the last minute, when it began. */
  readonly load: number;
  readonly series: readonly Series[];
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

const SIZE = {
  full: { flows: 500_000, churn: 2000, repetitions: 5, pauseMs: 10_000 },
  quick: { flows: 5000, churn: 200, repetitions: 1, pauseMs: 3000 },
} as const;

/** Flows that come live for five seconds. */
const LIVES = 10;
/** The first comparison after the change may find what the filling has lost. */
const BOUND_MS = 120_000;

interface Bench {
  readonly lab: Lab;
  readonly owner: MeasuredAgent;
  readonly replica: MeasuredAgent;
  readonly used: () => Promise<Readonly<Record<ProgramName, number>>>;
  /** Between two comparisons. */
  readonly pauseMs: number;
}

/** fw1 owns all the flows, fw2 has their copies; there is no manager, and no packets. */
export const measureVerify = async ({ quick, json }: Options): Promise<void> => {
  const environment = await readEnvironment();
  const [load = 0] = loadavg();
  const { flows, churn, repetitions, pauseMs } = SIZE[quick ? 'quick' : 'full'];
  allowFlows(flows + LIVES * churn + 1000);
  await buildPrograms();
  progress('two nodes start');
  const lab = await Lab.create({
    nodes: 2,
    clients: 0,
    cluster: { snat: true, manager: 'none', more: ['log: { level: debug }'] },
  });
  try {
    const bench = await begin(lab, pauseMs);
    progress(`${flows} flows, replicated from fw1 to fw2`);
    await fill(lab.node('fw1'), flows);
    if (!(await grows(() => kernelCount(lab.node('fw2')), flows))) {
      await fillAgain(lab.node('fw1'), flows);
    }
    const quiet = { flows, churn: 0, results: await repeat(bench, 'no flow comes or goes', repetitions) };
    const busy = await withChurn(lab.node('fw1'), flows, churn, () =>
      repeat(bench, `${churn} flows a second come and go`, repetitions),
    );
    progress('done');
    const results: Results = { environment, load, series: [quiet, { flows, ...busy }] };
    if (json !== undefined) {
      await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
    }
    console.log(report(results));
  } finally {
    await lab.close();
  }
};

const begin = async (lab: Lab, pauseMs: number): Promise<Bench> => {
  const bringUp = async (node: FirewallNode): Promise<MeasuredAgent> => {
    await node.boot();
    await node.startConntrackd(await node.product(['render', 'conntrackd']));
    return MeasuredAgent.start(node, { BENCH_VERIFY: String(pauseMs) });
  };
  const [owner, replica] = await Promise.all([bringUp(lab.node('fw1')), bringUp(lab.node('fw2'))]);
  await untilShares(lab, HOMES);
  const used = async (): Promise<Readonly<Record<ProgramName, number>>> => {
    const conntrackd = (name: string) => lab.node(name).daemon('conntrackd').pid;
    const pids = [owner.pid, conntrackd('fw1'), replica.pid, conntrackd('fw2')];
    const [a = 0, b = 0, c = 0, d = 0] = await Promise.all(
      pids.map(async (pid) => {
        const { userMs, systemMs } = await usageOf(pid);
        return userMs + systemMs;
      }),
    );
    return { 'owner agent': a, 'owner conntrackd': b, 'replica agent': c, 'replica conntrackd': d };
  };
  return { lab, owner, replica, used, pauseMs };
};

const churnLine = z.object({ came: z.number(), ms: z.number() });

/** Does `action` while flows come and go at the owner. */
const withChurn = async (
  node: FirewallNode,
  flows: number,
  rate: number,
  action: () => Promise<readonly VerifyResult[]>,
): Promise<Pick<Series, 'churn' | 'results'>> => {
  const argv = [process.execPath, programFile('churn'), String(flows), String(rate)];
  const program = await node.machine.spawn('churn', argv);
  const results = await action();
  if (!program.running) {
    throw new Error(`flows stopped coming: ${await program.output()}`);
  }
  await program.kill('SIGKILL');
  const last = (await program.output()).trim().split('\n').at(-1) ?? '';
  const { came, ms } = churnLine.parse(JSON.parse(last));
  return { churn: Math.round((came * 1000) / ms), results };
};

/** The first comparison, which may have begun before, isn't counted. */
const repeat = async (bench: Bench, what: string, repetitions: number): Promise<readonly VerifyResult[]> => {
  await untilEnded(bench, (await comparisons(bench)).ended.length + 1);
  const results: VerifyResult[] = [];
  for (let turn = 1; turn <= repetitions; turn += 1) {
    results.push(await measureOne(bench));
    progress(what, { done: turn, of: repetitions });
  }
  return results;
};

/** The next comparison, and before it the time without one. */
const measureOne = async (bench: Bench): Promise<VerifyResult> => {
  const { ended } = await comparisons(bench);
  const calm = { from: await bench.used(), at: performance.now() };
  await sleep(bench.pauseMs / 2);
  const calmMs = performance.now() - calm.at;
  const calmUsed = difference(await bench.used(), calm.from);
  await Promise.all([bench.owner.turns(), bench.replica.turns()]);
  await until(
    'a comparison',
    async () => (await comparisons(bench)).underWay,
    BOUND_MS,
    (begun) => begun,
  );
  const before = await bench.used();
  const compared = await untilEnded(bench, ended.length + 1);
  const usedMs = difference(await bench.used(), before);
  const [owner, replica] = await Promise.all([bench.owner.turns(), bench.replica.turns()]);
  const anywayMs = scaled(calmUsed, compared.milliseconds / calmMs);
  return { ...compared, usedMs, anywayMs, owner, replica };
};

const comparisons = async ({ replica }: Bench) => comparisonsIn(await replica.output(), 'fw1');

const untilEnded = async (bench: Bench, number: number): Promise<Compared> => {
  const seen = await until(
    'the end of a comparison',
    async () => (await comparisons(bench)).ended,
    BOUND_MS,
    (ended) => ended.length >= number,
  );
  const last = seen.at(-1);
  if (last === undefined) {
    throw new RangeError('no comparison');
  }
  return last;
};

const difference = (
  after: Readonly<Record<ProgramName, number>>,
  before: Readonly<Record<ProgramName, number>>,
): Record<ProgramName, number> => mapped((name) => after[name] - before[name]);

const scaled = (used: Readonly<Record<ProgramName, number>>, factor: number): Record<ProgramName, number> =>
  mapped((name) => used[name] * factor);

const mapped = (of: (name: ProgramName) => number): Record<ProgramName, number> => ({
  'owner agent': of('owner agent'),
  'owner conntrackd': of('owner conntrackd'),
  'replica agent': of('replica agent'),
  'replica conntrackd': of('replica conntrackd'),
});
