import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';

const milliseconds = z.array(z.number().positive()).min(1);
const results = z.object({
  word: z.array(z.object({ flows: z.number(), atRest: milliseconds, whileAdopting: milliseconds })),
  stock: z.array(z.object({ flows: z.number(), whole: milliseconds, commit: milliseconds })),
  outside: z.object({ silence: milliseconds }),
});

const arrivals = z
  .array(z.object({ lost: z.number(), lostMs: z.number(), longestMs: z.number().positive() }))
  .min(1);
const usage = z.object({
  node: z.string(),
  program: z.string(),
  userMs: z.number(),
  systemMs: z.number(),
  residentBytes: z.number().positive(),
  heapBytes: z.number().positive().optional(),
});

const MAXIMUM = '/proc/sys/net/netfilter/nf_conntrack_max';

/** Runs a short form. Returns what it prints and what it writes. */
const bench = async (what: string, ...more: readonly string[]): Promise<{ stdout: string; json: unknown }> => {
  const directory = await mkdtemp(join(tmpdir(), 'conntrack-ha-bench-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'results.json');
  const { stdout } = await execa('npx', ['tsx', 'bench/main.ts', what, '--quick', '--json', file, ...more]);
  return { stdout, json: JSON.parse(await readFile(file, 'utf8')) };
};

it('measures both ways and writes all figures', { timeout: 150_000 }, async () => {
  const before = await readFile(MAXIMUM, 'utf8');
  const { stdout, json } = await bench('takeover');
  for (const heading of ["From the manager's word", 'Adopting afterwards', 'Power cut to the first packet']) {
    expect(stdout).toContain(heading);
  }
  const { word, stock } = results.parse(json);
  expect(word.map(({ flows }) => flows)).toEqual([1000, 20_000]);
  expect(stock.map(({ flows }) => flows)).toEqual([1000, 20_000]);
  expect(await readFile(MAXIMUM, 'utf8')).toBe(before);
});

it('measures hand-backs: each is seen by the flow, the kernels and the events', {
  timeout: 60_000,
}, async () => {
  const { stdout, json } = await bench('handback', '--by', 'keepalived');
  expect(stdout).toContain('Where the time of the way back goes');
  const handovers = z.array(z.object({ twice: z.literal(0), closedMs: z.number() })).length(2);
  const steps = z.array(z.number()).length(2);
  const product = z.object({ back: arrivals, away: arrivals, rest: arrivals }).and(
    z.object({
      back: handovers,
      away: handovers,
      steps: z.object({ askedToOpen: steps, hold: steps, close: steps, answer: steps }),
    }),
  );
  z.object({ product: z.object({ keepalived: product }) }).parse(json);
});

it('measures what each program of a quiet node uses', { timeout: 60_000 }, async () => {
  const { stdout, json } = await bench('idle');
  expect(stdout).toContain('% of a core');
  const { programs } = z.object({ programs: z.array(usage) }).parse(json);
  expect(programs.map(({ node, program }) => `${node} ${program}`)).toEqual(
    ['fw1', 'fw2'].flatMap((node) =>
      ['agent', 'conntrackd', 'keepalived'].map((program) => `${node} ${program}`),
    ),
  );
  for (const { program, userMs, systemMs, heapBytes } of programs) {
    expect(heapBytes !== undefined).toBe(program === 'agent');
    expect(program === 'agent' ? userMs + systemMs : 1).toBeGreaterThan(0);
  }
});

it('measures what keeping copies from expiring costs', { timeout: 120_000 }, async () => {
  const { stdout, json } = await bench('refresh');
  expect(stdout).toContain('ms a round');
  const result = z.object({ node: z.string(), program: z.string(), busyMs: z.number(), touched: z.string() });
  const { results } = z.object({ results: z.array(result) }).parse(json);
  expect(results.map(({ touched }) => touched)).toEqual(
    ['none', '1/32', 'all'].flatMap((touched) => Array.from({ length: 4 }, () => touched)),
  );
});

it('measures comparisons, without and with flows that come and go', { timeout: 120_000 }, async () => {
  const { stdout, json } = await bench('verify');
  expect(stdout).toContain('Seconds of processor time, medians');
  const turns = z.object({ heldMs: z.number().positive(), ownMs: z.number() });
  const result = z.object({
    milliseconds: z.number().positive(),
    rounds: z.number().min(1),
    compared: z.number(),
    missing: z.undefined().optional(),
    owner: turns,
    replica: turns,
  });
  const series = z.object({ flows: z.literal(5000), churn: z.number(), results: z.array(result).length(1) });
  const [quiet, busy] = z.object({ series: z.array(series).length(2) }).parse(json).series;
  expect(quiet?.results.map(({ compared }) => compared)).toEqual([5000]);
  expect(quiet?.churn).toBe(0);
  expect(busy?.churn).toBeGreaterThan(100);
  expect(busy?.results[0]?.compared).toBeGreaterThan(5000);
});

it('measures 240 groups at once', { timeout: 60_000 }, async () => {
  const { stdout, json } = await bench('loop');
  expect(stdout).toContain('all active');
  const burst = z.object({ allActiveMs: z.number().positive(), heldMs: z.number().positive() });
  expect(z.object({ groups: z.number(), bursts: z.array(burst).length(2) }).parse(json).groups).toBe(240);
});

it('measures a cluster of three', { timeout: 60_000 }, async () => {
  const { stdout, json } = await bench('nodes');
  expect(stdout).toContain('its buckets went to the others');
  const cluster = z.object({ takenOver: milliseconds, homeAgain: milliseconds, shares: z.array(z.number()) });
  const { clusters } = z.object({ clusters: z.array(cluster) }).parse(json);
  expect(clusters.map(({ shares }) => shares)).toEqual([[11, 11]]);
});
