import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../lab/rig/wait.ts';
import { Sandbox, SHELLS, startOf } from './sandbox.ts';

describe.each(SHELLS)('start-agent by %s', (shell) => {
  let box: Sandbox;
  beforeEach(() => {
    box = new Sandbox(shell, { held: true });
  });
  afterEach(() => box.remove());

  it.each(['start', 'run'])(
    'becomes the program, and says before that the agent is being started: %s',
    async (command) => {
      const { pid } = box.start(join(box.hooks, 'start-agent'), [
        '-r',
        box.run,
        '-c',
        '/etc/a.yaml',
        command,
      ]);
      const [call] = await until(
        'the program',
        () => box.calls(),
        5000,
        ({ length }) => length === 1,
      );
      expect(call?.args).toBe(`-c /etc/a.yaml ${command}`);
      // A shell that starts a program is two for a moment.
      await until(
        'one process',
        () => box.processes('program'),
        5000,
        (pids) => pids.length === 1 && pids[0] === pid,
      );
      expect(readFileSync(join(box.run, 'starting'), 'utf8')).toBe(`${pid} ${startOf(pid)}\n`);
      // Nobody stands in for it meanwhile, and its words wait for it.
      expect(box.check()).toBe(1);
      expect(box.notify('primary', 'fw1_fw2').status).toBe(0);
      expect(box.call('keepalived-stop', []).status).toBe(0);
      expect(box.starts()).toBe(0);
      expect(box.words()).toHaveLength(1);
      box.letGo();
      await until(
        'its end',
        () => box.processes('program'),
        5000,
        ({ length }) => length === 0,
      );
      expect(box.check()).toBe(1);
      expect(box.starts()).toBe(1);
    },
  );

  it('refuses what isn’t the agent', () => {
    for (const args of [[], ['stop'], ['run', '--once']]) {
      const { status, stderr } = box.call('start-agent', args);
      expect(status).toBe(2);
      expect(stderr).toMatch(/is neither start nor run/);
    }
  });

  it('starts the agent also where it can’t say so', async () => {
    box.write('agent', '');
    box.script('bin/mv', 'case $* in *starting*) exit 1 ;; esac\nexec /usr/bin/mv "$@"');
    box.start(join(box.hooks, 'start-agent'), ['-r', box.run, 'run']);
    await until('the program', () => box.calls().length === 1, 5000);
  });
});
