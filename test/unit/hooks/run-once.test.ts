import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../lab/rig/wait.ts';
import { fieldsOf, Sandbox, SHELLS } from './sandbox.ts';

/** The shell that runs run-once, what writes the log, and what stands for the program: the pipe that they are. */
const RUNNING = 2;
const WAITING = 3;

describe.each(SHELLS)('the program that a hook starts by %s', (shell) => {
  let box: Sandbox;
  beforeEach(() => {
    box = new Sandbox(shell, { held: true });
  });
  afterEach(() => box.remove());

  const log = (): string => readFileSync(join(box.root, 'log'), 'utf8');

  it('runs once for many words, and once more after the last one', async () => {
    box.notify('primary', 'fw1_fw2');
    await until('the program', () => box.calls().length === 1, 5000);
    const hooks = Array.from({ length: 50 }, (_, index) => box.startNotify('primary', `fw${index}_fw2`));
    const last = Promise.all(hooks.map((hook) => new Promise((resolve) => hook.once('exit', resolve))));
    expect(await last).toEqual(hooks.map(() => 0));
    expect(box.words()).toHaveLength(51);
    // One has the program, one waits for it to end, and 49 have gone.
    const left = () => box.processes('hooks/run-once').length;
    await until('the others to go', left, 20_000, (count) => count === RUNNING + WAITING);
    expect(box.calls()).toHaveLength(1);
    box.letGo();
    await until('all to end', left, 10_000, (count) => count === 0);
    const calls = box.calls();
    expect(calls).toHaveLength(2);
    expect(calls.at(-1)?.saw).toEqual(
      box
        .words()
        .map(({ name }) => name)
        .sort(),
    );
    expect(box.hasOverlapped).toBe(false);
  });

  it('sees every word, though it ends and starts all the time', async () => {
    box.letGo();
    const hooks = Array.from({ length: 50 }, (_, index) => box.startNotify('primary', `fw${index}_fw2`));
    await Promise.all(hooks.map((hook) => new Promise((resolve) => hook.once('exit', resolve))));
    await until(
      'all to end',
      () => box.processes('hooks/run-once').length,
      20_000,
      (count) => count === 0,
    );
    const calls = box.calls();
    expect(new Set(calls.at(-1)?.saw)).toEqual(new Set(box.words().map(({ name }) => name)));
    expect(box.words()).toHaveLength(50);
    expect(calls.length).toBeLessThan(50);
    expect(box.hasOverlapped).toBe(false);
  });

  it('lives on when keepalived kills the hook and its group, with nothing of keepalived’s open', async () => {
    const hook = box.startNotify('primary', 'fw1_fw2');
    await new Promise((resolve) => hook.once('exit', resolve));
    const [call] = await until(
      'the program',
      () => box.calls(),
      5000,
      ({ length }) => length === 1,
    );
    const [, , group, session] = call?.fields ?? [];
    // vitest's session is the hook's group here, since it was started as a leader.
    expect(Number(session)).not.toBe(hook.pid);
    expect(Number(group)).not.toBe(hook.pid);
    expect(() => process.kill(-hook.pid, 'SIGKILL')).toThrow('ESRCH');
    const [pid = 0] = box.processes('program');
    expect(readlinkSync(`/proc/${pid}/fd/0`)).toBe('/dev/null');
    expect(readlinkSync(`/proc/${pid}/fd/1`)).toMatch(/^pipe:/);
    expect(readlinkSync(`/proc/${pid}/fd/2`)).toBe(readlinkSync(`/proc/${pid}/fd/1`));
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
  });

  it('has the lock for all its life, and nobody has it afterwards', async () => {
    // A system log that takes what it gets and never ends.
    box.script('bin/logger', `echo $$ >${box.root}/logger; cat >${box.root}/log; exec sleep 1000`);
    box.notify('primary', 'fw1_fw2');
    await until('the program', () => box.calls().length === 1, 5000);
    expect(box.isFree('once.waiting')).toBe(true);
    const [program = 0] = box.processes('program');
    for (const pid of box.processes('hooks/run-once')) {
      process.kill(pid, 'SIGKILL');
    }
    await until('its helpers to go', () => box.processes('hooks/run-once').length === 0, 5000);
    expect(box.isFree('once.running')).toBe(false);
    box.letGo();
    await until('its end', () => !existsSync(`/proc/${program}`), 5000);
    const logger = Number(readFileSync(join(box.root, 'logger'), 'utf8'));
    try {
      expect(log()).toBe('said by the program\n');
      expect(fieldsOf(readFileSync(`/proc/${logger}/stat`, 'utf8'))[0]).toBe('S');
      expect(box.isFree('once.running')).toBe(true);
      expect(box.isFree('once.waiting')).toBe(true);
    } finally {
      process.kill(logger, 'SIGKILL');
    }
  });

  it.each([
    ['is missing', 'exit 127'],
    ['takes nothing', 'exit 1'],
    ['dies', 'head -c 10 >/dev/null; kill -KILL $$'],
  ])('ends well when the system log %s', async (_, body) => {
    box.script('bin/logger', body);
    box.script('program', `seq 100000 && echo ended >${box.root}/ended`);
    box.notify('primary', 'fw1_fw2');
    await until('its end', () => existsSync(join(box.root, 'ended')), 10_000);
    await until('all to end', () => box.processes('hooks/run-once').length === 0, 5000);
  });

  it('is said to be missing in the system log', async () => {
    box.script('bin/logger', `echo "$@" >${box.root}/log; cat >>${box.root}/log`);
    const env = { ...box.env, CONNTRACK_HA: '/nowhere/conntrack-ha' };
    expect(box.call('keepalived-notify', ['primary', 'fw1_fw2'], env).status).toBe(0);
    await until('the log', log, 5000, (text) =>
      /^-t conntrack-ha\n.*\/nowhere\/conntrack-ha: .*(not found|No such file)/.test(text),
    );
  });

  it('does not start while it waited for another when conntrack-ha stop was given', async () => {
    box.notify('primary', 'fw1_fw2');
    await until('the program', () => box.calls().length === 1, 5000);
    box.notify('primary', 'fw1_fw2');
    const left = () => box.processes('hooks/run-once').length;
    await until('one to wait', left, 5000, (count) => count === RUNNING + WAITING);
    box.write('stopped', '');
    box.letGo();
    await until('all to end', left, 5000, (count) => count === 0);
    expect(box.calls()).toHaveLength(1);
  });

  it('is started again after the one that waits was killed', async () => {
    box.notify('primary', 'fw1_fw2');
    await until('the program', () => box.calls().length === 1, 5000);
    const first = box.processes('hooks/run-once');
    box.notify('primary', 'fw1_fw2');
    const left = () => box.processes('hooks/run-once');
    const all = await until('one to wait', left, 5000, ({ length }) => length === RUNNING + WAITING);
    for (const pid of all.filter((each) => !first.includes(each))) {
      process.kill(pid, 'SIGKILL');
    }
    await until('it to be gone', () => left().length === RUNNING, 5000);
    box.notify('backup', 'fw1_fw2');
    await until('another to wait', left, 5000, ({ length }) => length === RUNNING + WAITING);
    box.letGo();
    await until('all to end', () => left().length === 0, 5000);
    expect(box.calls().at(-1)?.saw).toHaveLength(3);
  });
});
