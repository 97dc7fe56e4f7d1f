import { expect, it } from 'vitest';
import * as z from 'zod';
import { bench } from './bench-run.ts';

/** The short forms that are quick; the others: long/bench. */

const milliseconds = z.array(z.number().positive()).min(1);
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
