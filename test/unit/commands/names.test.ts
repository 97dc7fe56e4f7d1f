import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runProgram } from '../../../src/commands/program.ts';
import { SAMPLE } from '../config/sample.ts';

test('names prints the nodes, then the groups, wherever it is asked', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-names-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'cluster.yaml');
  // This host is none of these nodes.
  writeFileSync(file, SAMPLE);
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
  expect(await runProgram(['node', 'conntrack-ha', '-c', file, 'names'])).toBe(0);
  expect(printed.mock.calls).toEqual([['fw1'], ['fw2'], ['fw1_fw2'], ['fw2_fw1']]);
});
