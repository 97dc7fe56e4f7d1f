import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { bench } from '../bench-run.ts';

const milliseconds = z.array(z.number().positive()).min(1);
const results = z.object({
  word: z.array(z.object({ flows: z.number(), atRest: milliseconds, whileAdopting: milliseconds })),
  stock: z.array(z.object({ flows: z.number(), whole: milliseconds, commit: milliseconds })),
  outside: z.object({ silence: milliseconds }),
});

const MAXIMUM = '/proc/sys/net/netfilter/nf_conntrack_max';

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

it('measures hand-backs under Pacemaker, and of a plain clone', { timeout: 180_000 }, async () => {
  const { stdout, json } = await bench('handback');
  expect(stdout).toContain('Where the time of the way back goes with Pacemaker');
  const twice = z.object({ back: z.array(z.object({ closedMs: z.number() })).length(2) });
  z.object({ product: z.object({ keepalived: twice, pacemaker: twice }), clone: twice }).parse(json);
});

it('measures what own and foreign packets cost', { timeout: 180_000 }, async () => {
  const { stdout, json } = await bench('packets');
  expect(stdout).toContain('What a packet costs above being received');
  expect(stdout).toContain('16 nodes');
  const each = z.array(z.number().positive()).length(4);
  const one = z.object({ name: z.string(), owner: z.string(), from: z.string(), snat: z.boolean(), each });
  const { series } = z.object({ series: z.array(one) }).parse(json);
  const streams = (name: string) => series.filter((stream) => stream.name === name).length;
  expect(['receiving', 'one firewall', 'conntrack-ha', 'xt_cluster'].map(streams)).toEqual([2, 4, 8, 8]);
  const least = (owner: string): number =>
    Math.min(...series.filter((s) => s.name === 'conntrack-ha' && s.owner === owner).flatMap((s) => s.each));
  expect(least('foreign')).toBeLessThan(least('own'));
});

it('measures requests through one firewall and through two', { timeout: 180_000 }, async () => {
  const { stdout, json } = await bench('http');
  expect(stdout).toContain('Requests for an object of 0 bytes');
  const node = z.object({ forwarding: z.number().positive(), packets: z.number().positive() });
  const span = z.object({ requests: z.number().positive(), failed: z.literal(0), nodes: z.array(node) });
  const setup = z.object({ name: z.string(), spans: z.array(span).length(1) });
  const { setups } = z.object({ setups: z.array(setup) }).parse(json);
  expect(setups.map(({ spans }) => spans[0]?.nodes.length)).toEqual([1, 1, 2]);
});
