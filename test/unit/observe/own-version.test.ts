import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runProgram } from '../../../src/commands/program.ts';
import { ownVersion } from '../../../src/observe/own-version.ts';

test('the program’s version is that of package.json, and --version prints it', async () => {
  const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(ownVersion()).toBe(version);
  const printed: string[] = [];
  const { log } = console;
  console.log = (text: string) => printed.push(text);
  const status = await runProgram(['node', 'conntrack-ha', '--version']).finally(() => {
    console.log = log;
  });
  expect([status, printed]).toEqual([0, [version]]);
});
