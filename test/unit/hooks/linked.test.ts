import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../lab/rig/wait.ts';

const HOOKS = fileURLToPath(new URL('../../../hooks', import.meta.url));

/** Node.js makes paths shorter by their text: `LINK/../..` leads elsewhere than for the kernel. */
it('run-once starts the program beside the hooks also where the directory of the resource agent is a link', async () => {
  const root = mkdtempSync(join(tmpdir(), 'conntrack-ha-linked-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const project = join(root, 'project');
  const run = join(root, 'run');
  for (const directory of [join(project, 'dist'), join(root, 'ocf'), run]) {
    mkdirSync(directory, { recursive: true });
  }
  cpSync(HOOKS, join(project, 'hooks'), { recursive: true });
  const program = `#!${process.execPath}\nrequire('node:fs').writeFileSync('${join(run, 'ran')}', '');\n`;
  writeFileSync(join(project, 'dist', 'main.js'), program, { mode: 0o755 });
  symlinkSync(join(project, 'hooks', 'ocf'), join(root, 'ocf', 'conntrack-ha'));
  execFileSync(`${root}/ocf/conntrack-ha/../run-once`, [run]);
  await until('the program', () => existsSync(join(run, 'ran')), 5000);
  expect(existsSync(join(run, 'once.running'))).toBe(true);
});
