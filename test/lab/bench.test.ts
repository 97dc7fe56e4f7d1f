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

const MAXIMUM = '/proc/sys/net/netfilter/nf_conntrack_max';

it('measures both ways and writes all figures', { timeout: 150_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'conntrack-ha-bench-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const before = await readFile(MAXIMUM, 'utf8');
  const json = join(directory, 'results.json');
  const { stdout } = await execa('npx', ['tsx', 'bench/main.ts', 'takeover', '--quick', '--json', json]);
  for (const heading of ["From the manager's word", 'Adopting afterwards', 'Power cut to the first packet']) {
    expect(stdout).toContain(heading);
  }
  const { word, stock } = results.parse(JSON.parse(await readFile(json, 'utf8')));
  expect(word.map(({ flows }) => flows)).toEqual([1000, 20_000]);
  expect(stock.map(({ flows }) => flows)).toEqual([1000, 20_000]);
  expect(await readFile(MAXIMUM, 'utf8')).toBe(before);
});
