import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { pacemakerRuns } from '../../../src/managers/pacemaker/alive.ts';
import { startOf } from '../../../src/system/process-start.ts';
import { until } from '../../lab/rig/wait.ts';

/** Programs with the names of Pacemaker's, one the parent of the others. Returns their process numbers. */
const startDaemons = async (parent: string): Promise<Record<string, number>> => {
  const directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-pacemaker-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const program = (name: string, text: string): void =>
    writeFileSync(
      join(directory, name),
      `#!/bin/bash\necho $$ >${directory}/$(basename "$0").pid\n${text}\n`,
      {
        mode: 0o755,
      },
    );
  const children = ['pacemaker-execd', 'pacemaker-controld'];
  for (const name of children) {
    program(name, 'sleep 1000 & wait');
  }
  program(parent, `${children.map((name) => `${directory}/${name} &`).join(' ')}\nwait; wait; read -r`);
  const child = spawn(join(directory, parent), { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  onTestFinished(() => {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  const pidOf = (name: string): number => Number(readFileSync(join(directory, `${name}.pid`), 'utf8'));
  await until('the programs', () => children.every((name) => pidOf(name) > 0), 5000);
  return Object.fromEntries([...children, parent].map((name) => [name, pidOf(name)]));
};

const caller = (pid: number) => ({ pid, start: startOf(pid) ?? 0 });

it('runs while its executor and its controller do', async () => {
  const { 'pacemaker-execd': execd = 0, 'pacemaker-controld': controld = 0 } =
    await startDaemons('pacemakerd');
  const known = caller(execd);
  expect(pacemakerRuns(known)).toBe(true);
  expect(pacemakerRuns({ ...known, start: known.start + 1 })).toBe(false);
  process.kill(controld, 'SIGKILL');
  await until('the end of the controller', () => !pacemakerRuns(known), 5000);
});

it('is not judged by a controller where somebody else calls the resource agent', async () => {
  const { 'pacemaker-execd': execd = 0, 'pacemaker-controld': controld = 0 } =
    await startDaemons('ocf-tester');
  process.kill(controld, 'SIGKILL');
  await until('the end of the controller', () => startOf(controld) === undefined, 5000);
  expect(pacemakerRuns(caller(execd))).toBe(true);
});
