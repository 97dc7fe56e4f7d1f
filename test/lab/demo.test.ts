import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { Break } from './cluster.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The demo as a user runs it, after its set-up. */
const demo = async (...args: readonly string[]): Promise<{ status: number | undefined; output: string }> => {
  const { exitCode, all } = await execa('npx', ['tsx', 'test/lab/demo.ts', ...args], {
    cwd: ROOT,
    all: true,
    reject: false,
  });
  return { status: exitCode, output: all };
};

const LOST = /flows lost: [1-9]/;
const TWICE = /packets twice in steady state: [1-9]/;
const UNFINISHED = /^not finished: /m;

describe('the demo', () => {
  it('loses nothing', { timeout: 120_000 }, async () => {
    const { status, output } = await demo();
    expect(output).toContain('flows lost: 0 of 22');
    expect(output).toContain('packets twice in steady state: 0');
    expect(output).not.toMatch(UNFINISHED);
    expect(status, output).toBe(0);
  });
});

// Two at a time: that they fail doesn't depend on how fast the machine is.
describe.concurrent('the demo without a mechanism', () => {
  it.each<[Break, RegExp]>([
    // No state goes over: connections that were open when the power went stand still.
    ['sync', /fw1\.idle .*LOST: no answer/],
    // What the survivor took over never comes to the node that returns: the next power cut ends it.
    ['adopt', /fw1\.idle .*LOST: no answer/],
    // Two owners translate the same SYN to two ports: new connections are reset.
    ['order', /connects .*LOST: \d+ of \d+ connections failed/],
    // An answer's port no longer tells the bucket: it goes to the wrong node.
    ['snat', /ping .*LOST/],
    // The node that returns takes its group before it holds the states.
    ['readiness', /fw1\.idle .*LOST: no answer/],
  ])('fails: %s', { timeout: 120_000 }, async (mechanism, evidence) => {
    const { status, output } = await demo('--break', mechanism);
    expect(LOST.test(output) || TWICE.test(output), output).toBe(true);
    expect(output).toMatch(evidence);
    expect(status, output).toBe(1);
  });
});
