import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect } from 'vitest';
import type { Break } from './cluster.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const LOST = /flows lost: [1-9]/;
const TWICE = /packets twice in steady state: [1-9]/;

/** The demo as a user runs it, after its set-up. */
export const demo = async (
  ...args: readonly string[]
): Promise<{ status: number | undefined; output: string }> => {
  const { exitCode, all } = await execa('npx', ['tsx', 'test/lab/demo.ts', ...args], {
    cwd: ROOT,
    all: true,
    reject: false,
  });
  return { status: exitCode, output: all };
};

/** Runs the demo without a mechanism, and expects it to fail and to say so. */
export const expectBroken = async (mechanism: Break, evidence: RegExp): Promise<void> => {
  const { status, output } = await demo('--break', mechanism);
  expect(LOST.test(output) || TWICE.test(output), output).toBe(true);
  expect(output).toMatch(evidence);
  expect(status, output).toBe(1);
};
