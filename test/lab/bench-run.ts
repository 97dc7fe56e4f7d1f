import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';

/** Runs a short form. Returns what it prints and what it writes. */
export const bench = async (
  what: string,
  ...more: readonly string[]
): Promise<{ stdout: string; json: unknown }> => {
  const directory = await mkdtemp(join(tmpdir(), 'conntrack-ha-bench-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'results.json');
  const { stdout } = await execa('npx', ['tsx', 'bench/main.ts', what, '--quick', '--json', file, ...more]);
  return { stdout, json: JSON.parse(await readFile(file, 'utf8')) };
};
