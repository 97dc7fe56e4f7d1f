import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../lab/rig/wait.ts';
import { Sandbox, SHELLS, startOf, uptime } from './sandbox.ts';

interface Started {
  readonly pid: number;
  readonly start: number;
}

describe.each(SHELLS)('keepalived-check by %s', (shell) => {
  let box: Sandbox;
  beforeEach(() => {
    box = new Sandbox(shell);
  });
  afterEach(() => box.remove());

  const kicked = (): number => Number(readFileSync(join(box.run, 'once.kicked'), 'utf8').split(' ')[0]);
  /** What keepalived's addresses were then: the loopback interface's, in one line. */
  const addresses = (): string =>
    execFileSync('ip', ['-o', '-4', 'addr', 'show', 'dev', 'lo'], { encoding: 'utf8' })
      .replaceAll('\\', '')
      .replaceAll(/\s+/g, ' ');

  it.each([0, 80])('is content with a heartbeat %d hundredths old, and starts nothing', (age) => {
    box.beat(age);
    expect(box.check()).toBe(0);
    expect(box.starts()).toBe(0);
  });

  it.each([
    ['old', () => box.beat(301)],
    ['of before the boot', () => box.beat(-100_000)],
    ['missing', () => box.write('agent', '1 1\n')],
    ['empty', () => box.write('heartbeat', '')],
    ['cut', () => box.write('heartbeat', String(uptime()))],
    ['no number', () => box.write('heartbeat', 'soon\n')],
    ['negative', () => box.write('heartbeat', `-${uptime()}\n`)],
    ['two numbers', () => box.write('heartbeat', `${uptime()} ${uptime()}\n`)],
    ['octal', () => box.write('heartbeat', `0${uptime()}\n`)],
    ['endless', () => box.write('heartbeat', `${'9'.repeat(400)}\n`)],
    ['below no directory', () => rmSync(box.run, { recursive: true, force: true })],
  ])('fails when the heartbeat is %s, and starts the program', async (_, change) => {
    change();
    expect(box.call('keepalived-check', [])).toMatchObject({ status: 1, stdout: '', stderr: '' });
    expect(box.starts()).toBe(1);
    expect(Math.abs(uptime() - kicked())).toBeLessThan(500);
    await until('the program', () => box.calls().length === 1, 5000);
  });

  it('starts it two seconds before it fails', () => {
    box.beat(105);
    expect(box.check()).toBe(0);
    expect(box.starts()).toBe(1);
  });

  it('starts it once in 10 s', () => {
    const statuses = [box.check(), box.check(), box.check()];
    expect(statuses).toEqual([1, 1, 1]);
    expect(box.starts()).toBe(1);
  });

  it.each([
    ['9 s ago', () => uptime() - 900, 0],
    ['10 s ago', () => uptime() - 1000, 1],
    ['before the boot', () => uptime() + 100_000, 1],
    ['at nobody knows what time', () => '', 1],
    ['at no time', () => '12x', 1],
  ])('having started it %s, starts it or not', (_, when, starts) => {
    box.write('once.kicked', `${when()} ${addresses()}\n`);
    expect(box.check()).toBe(1);
    expect(box.starts()).toBe(starts);
  });

  it('starts nothing after conntrack-ha stop', () => {
    box.write('stopped', '');
    expect(box.check()).toBe(1);
    expect(box.starts()).toBe(0);
  });

  it('starts nothing while the agent is being started, and does as soon as that has ended', async () => {
    const agent = box.start('/usr/bin/sleep', ['1000']);
    box.write('starting', `${agent.pid} ${startOf(agent.pid)}\n`);
    expect([box.check(), box.check()]).toEqual([1, 1]);
    expect(box.starts()).toBe(0);
    expect(existsSync(join(box.run, 'once.kicked'))).toBe(false);
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    agent.kill('SIGKILL');
    await ended;
    expect(box.check()).toBe(1);
    expect(box.starts()).toBe(1);
  });

  it.each([
    ['another process', ({ pid, start }: Started) => `${pid} ${start + 1}\n`],
    ['half a line', ({ pid }: Started) => `${pid}`],
    ['nothing', () => ''],
    ['no numbers', () => 'x y\n'],
    ['a process that began long ago', () => '1 0\n'],
  ])('is not held up by a file that names %s', (_, text) => {
    const { pid } = box.start('/usr/bin/sleep', ['1000']);
    box.write('starting', text({ pid, start: startOf(pid) }));
    expect(box.check()).toBe(1);
    expect(box.starts()).toBe(1);
  });

  it('passes the configuration on, and refuses what it does not know', async () => {
    expect(box.call('keepalived-check', ['-c', '/etc/a.yaml']).status).toBe(1);
    const calls = await until(
      'a call',
      () => box.calls(),
      5000,
      ({ length }) => length === 1,
    );
    expect(calls[0]?.args).toBe('-c /etc/a.yaml run --once');
    const { status, stderr } = box.call('keepalived-check', ['now']);
    expect(status).toBe(2);
    expect(stderr).toBe(
      'conntrack-ha: keepalived-check: 1 arguments; use: keepalived-check [-r DIR] [-c FILE]\n',
    );
  });

  it('works with an empty environment', () => {
    box.beat(0);
    expect(box.call('keepalived-check', [], {}).status).toBe(0);
    box.write('stopped', '');
    box.beat(400);
    expect(box.call('keepalived-check', [], {}).status).toBe(1);
  });
});
