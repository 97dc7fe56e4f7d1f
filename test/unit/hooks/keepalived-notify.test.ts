import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../lab/rig/wait.ts';
import { fieldsOf, Sandbox, SHELLS, shellNamed, startOf, uptime } from './sandbox.ts';

describe.each(SHELLS)('keepalived-notify by %s', (shell) => {
  let box: Sandbox;
  beforeEach(() => {
    box = new Sandbox(shell);
  });
  afterEach(() => box.remove());

  /** What a word of this process's says: vitest is the hook's parent here. */
  const said = (word: string): string => `${word} ${process.pid} ${startOf(process.pid)}\n`;

  it.each(['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED', 'MASTER_RX_LOWER_PRI'])(
    'hands on %s as keepalived appends it',
    (state) => {
      const before = Math.floor(uptime()) - 2;
      const { status, stdout, stderr, pid } = box.notify('INSTANCE', 'fw1_fw2', state, '150');
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
      const [word, ...more] = box.words();
      expect(more).toEqual([]);
      expect(word).toMatchObject({ group: 'fw1_fw2', pid, text: said(state) });
      // Its process's start, in ticks of which there are as many a second as hundredths.
      expect(word?.start).toBeGreaterThanOrEqual(before);
      expect(word?.start).toBeLessThanOrEqual(uptime());
    },
  );

  it.each([
    ['primary', 'MASTER'],
    ['backup', 'BACKUP'],
    ['fault', 'FAULT'],
  ])('takes %s as primary-backup.sh does', (argument, word) => {
    expect(box.notify(argument, 'a-1_b-2').status).toBe(0);
    expect(box.words()).toMatchObject([{ group: 'a-1_b-2', text: said(word) }]);
  });

  it.each([
    ['GROUP', 'all', 'MASTER', '0'],
    ['INSTANCE', 'fw1_fw2', 'MASTER_PRIORITY', '50'],
    ['INSTANCE', 'fw1_fw2', 'BACKUP_PRIORITY', '50'],
  ])('has nothing to do with %s %s %s', (...args) => {
    expect(box.notify(...args).status).toBe(0);
    expect(box.words()).toEqual([]);
    expect(box.starts()).toBe(0);
  });

  it.each([
    [['primary'], /1 arguments/],
    [[], /0 arguments/],
    [['primary', 'fw1_fw2', 'INSTANCE', 'fw1_fw2', 'MASTER', '150'], /6 arguments/],
    [['master', 'fw1_fw2'], /unknown state master/],
    [['INSTANCE', 'fw1_fw2', 'master', '150'], /unknown state master/],
    [['instance', 'fw1_fw2', 'MASTER', '150'], /neither an instance nor a group: instance/],
    [['-x', 'primary', 'fw1_fw2'], /unknown option -x/],
    [['-c', 'cluster.yaml', 'primary', 'fw1_fw2'], /-c wants an absolute path/],
    [['-r'], /-r wants an absolute path/],
    ...[
      'fw1',
      '_fw2',
      'fw1_',
      '_',
      'a_b_c',
      '../../etc_x',
      'a_b.c',
      'a_b c',
      'a_b\nc',
      'ä_b',
      'a_b*',
      '',
    ].map((group) => [['primary', group], /no name of a group: /] as const),
    [['primary', `a_${'b'.repeat(126)}`], /no name of a group: /],
  ] as const)('refuses %j', async (args, why) => {
    box.script(
      'bin/logger',
      `printf '%s\\n' "$*" >${box.root}/log.new; mv ${box.root}/log.new ${box.root}/log`,
    );
    const { status, stdout, stderr } = box.notify(...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(why);
    expect(stderr).toMatch(/^conntrack-ha: keepalived-notify: [ -~]*; use: keepalived-notify [ -~]*\n$/);
    expect(box.words()).toEqual([]);
    expect(box.starts()).toBe(0);
    await until(
      'the log',
      () => readFileSync(join(box.root, 'log'), 'utf8'),
      5000,
      (log) => log === `-t conntrack-ha -p daemon.err -- ${stderr.replace('conntrack-ha: ', '')}`,
    );
  });

  it('tells who its parent is, whatever that is called', () => {
    const odd = shellNamed(box, 'a) R 7 (b');
    const hook = `${join(box.hooks, 'keepalived-notify')} -r ${box.run} primary fw1_fw2`;
    const { stdout } = spawnSync(odd, ['-c', `cat /proc/$$/stat; ${hook}; :`], {
      env: box.env,
      encoding: 'utf8',
    });
    expect(stdout).toContain('(a) R 7 (b)');
    const pid = stdout.split(' ')[0];
    expect(box.words()).toMatchObject([{ text: `MASTER ${pid} ${fieldsOf(stdout)[19]}\n` }]);
  });

  it('says 0 0 if its parent has gone', async () => {
    const hook = `${join(box.hooks, 'keepalived-notify')} -r ${box.run} primary fw1_fw2`;
    const parent = box.start('/bin/sh', [
      '-c',
      `(kill -STOP $(cut -d' ' -f4 /proc/self/stat); exec ${hook}) & wait`,
    ]);
    const [child = 0] = await until<number[]>(
      'the stopped hook',
      () =>
        readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim().split(' ').map(Number),
      5000,
      ([pid = 0]) => pid > 0 && fieldsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))[0] === 'T',
    );
    parent.kill('SIGKILL');
    await until('its parent to go', () => !existsSync(`/proc/${parent.pid}`), 5000);
    // Where another process than 1 adopts orphans, that one is the parent.
    const adopter = fieldsOf(readFileSync(`/proc/${child}/stat`, 'utf8'))[1];
    process.kill(child, 'SIGCONT');
    const words = await until(
      'its word',
      () => box.words(),
      5000,
      ([word]) => word?.text.endsWith('\n') === true,
    );
    expect(words[0]?.text).toBe(
      adopter === '1' ? 'MASTER 0 0\n' : `MASTER ${adopter} ${startOf(Number(adopter))}\n`,
    );
  });

  it('needs no run directory, and makes one that can be entered under any umask', () => {
    rmSync(box.run, { recursive: true, force: true });
    const hook = join(box.hooks, 'keepalived-notify');
    const wanted = `umask 0177; exec ${hook} -r ${box.run}/deep primary fw1_fw2`;
    expect(spawnSync('/bin/sh', ['-c', wanted], { env: box.env }).status).toBe(0);
    for (const directory of [box.run, `${box.run}/deep`, `${box.run}/deep/words`]) {
      expect(statSync(directory).mode & 0o777).toBe(0o700);
    }
    expect(existsSync(`${box.run}/deep/words`)).toBe(true);
  });

  it('writes a file that only its owner reads, in a directory that is there', () => {
    box.startAgent();
    box.notify('primary', 'fw1_fw2');
    const [word] = box.words();
    expect(statSync(join(box.run, 'words', word?.name ?? '')).mode & 0o777).toBe(0o600);
  });

  it.each(['<&-', '>&-', '2>&-', '<&- >&-', '<&- >&- 2>&-'])('works with %s', async (closed) => {
    const hook = join(box.hooks, 'keepalived-notify');
    const command = `exec ${hook} -r ${box.run} primary fw1_fw2 ${closed}`;
    expect(spawnSync('/bin/sh', ['-c', command], { env: box.env }).status).toBe(0);
    expect(box.words()).toMatchObject([{ text: expect.stringMatching(/^MASTER \d+ \d+\n$/) }]);
    await until('the program', () => box.calls().length === 1, 5000);
  });

  it.each(['<&-', '>&-', '2>&-', '<&- >&-', '<&- >&- 2>&-'])('tells the log with %s', async (closed) => {
    box.script(
      'bin/logger',
      `printf '%s\\n' "$*" >${box.root}/log.new; mv ${box.root}/log.new ${box.root}/log`,
    );
    const hook = join(box.hooks, 'keepalived-notify');
    const command = `exec ${hook} -r ${box.run} primary fw1 ${closed}`;
    expect(spawnSync('/bin/sh', ['-c', command], { env: box.env }).status).toBe(2);
    const log = await until('the log', () => readFileSync(join(box.root, 'log'), 'utf8'), 5000);
    expect(log).toContain('keepalived-notify: no name of a group: fw1; use: ');
  });

  it('works with an empty environment, and finds its program beside its directory', async () => {
    // As it is installed: hooks/ and dist/ side by side.
    spawnSync('mkdir', [join(box.root, 'dist')]);
    spawnSync('cp', [join(box.root, 'program'), join(box.root, 'dist/main.js')]);
    expect(box.call('keepalived-notify', ['primary', 'fw1_fw2'], {}).status).toBe(0);
    expect(box.words()).toMatchObject([{ text: said('MASTER') }]);
    await until('the program', () => box.calls().length === 1, 5000);
  });

  it('finds what belongs to it through a link, from any directory, with a relative name', async () => {
    symlinkSync(join(box.hooks, 'keepalived-notify'), join(box.root, 'link'));
    const options = { env: box.env, cwd: box.root };
    expect(
      spawnSync('sh', ['-c', './link "$@"', 'sh', '-r', box.run, 'primary', 'fw1_fw2'], options).status,
    ).toBe(0);
    await until('the program', () => box.calls().length === 1, 5000);
    const relative = spawnSync(
      'sh',
      ['-c', 'hooks/keepalived-notify "$@"', 'sh', '-r', box.run, 'backup', 'fw1_fw2'],
      options,
    );
    expect(relative.status).toBe(0);
    await until('the program', () => box.calls().length === 2, 5000);
  });

  it('says what is missing when it was copied alone', () => {
    rmSync(join(box.hooks, 'common.sh'));
    const { status, stderr } = box.notify('primary', 'fw1_fw2');
    expect(status).toBe(2);
    expect(stderr).toBe(
      `conntrack-ha: keepalived-notify: ${box.hooks}/common.sh is missing; install the whole directory of hooks\n`,
    );
  });

  it('says that a word is lost when it cannot be written', () => {
    writeFileSync(box.run, 'not a directory');
    const { status, stderr } = box.notify('primary', 'fw1_fw2');
    expect(status).toBe(1);
    expect(stderr).toBe(
      `conntrack-ha: keepalived-notify: ${box.run}/words: can't be written; MASTER of fw1_fw2 is lost; look at the file system\n`,
    );
  });

  describe('with an agent', () => {
    it.each([
      ['it runs', () => undefined, 0],
      ['it is stopped, just now', (pid: number): boolean => process.kill(pid, 'SIGSTOP'), 0],
      ['its last good round was 1 s ago', () => box.beat(100), 0],
      ['its last good round was more than 3 s ago', () => box.beat(301), 1],
      ['it has no heartbeat', () => rmSync(join(box.run, 'heartbeat')), 1],
      ['its heartbeat is to come', () => box.beat(-100_000), 1],
      ['its heartbeat is no number', () => box.write('heartbeat', '1e9\n'), 1],
      ['its heartbeat is cut', () => box.write('heartbeat', String(uptime())), 1],
      ['its heartbeat is octal', () => box.write('heartbeat', `0${uptime()}\n`), 1],
      ['its heartbeat is empty', () => box.write('heartbeat', ''), 1],
      ['it has gone, orderly', () => rmSync(join(box.run, 'agent')), 1],
      ['its file is cut', (pid: number) => box.write('agent', `${pid} ${startOf(pid)}`), 1],
      ['its file says more', (pid: number) => box.write('agent', `${pid} ${startOf(pid)} 1\n`), 1],
      ['its file is garbage', () => box.write('agent', '../self x\n'), 1],
      ['another has its pid', (pid: number) => box.write('agent', `${pid} ${startOf(pid) - 1}\n`), 1],
      ['nobody has its pid', () => box.write('agent', '4194305 1\n'), 1],
    ] as const)('writes the word when %s', async (_, change, starts) => {
      change(box.startAgent());
      const began = performance.now();
      expect(box.notify('primary', 'fw1_fw2').status).toBe(0);
      expect(performance.now() - began).toBeLessThan(3000);
      expect(box.words()).toMatchObject([{ text: said('MASTER') }]);
      expect(box.starts()).toBe(starts);
      await until('the program', () => box.calls().length === starts, 5000);
    });

    it('takes a killed agent that nobody has waited for as gone', async () => {
      const inner = `sleep 1000 & echo $! >${box.root}/pid; exec sleep 1000`;
      const parent = box.start('/bin/sh', ['-c', inner]);
      const name = () => readFileSync(`/proc/${parent.pid}/comm`, 'utf8');
      await until('a parent that waits for nobody', name, 5000, (comm) => comm === 'sleep\n');
      const pid = await until('it', () => Number(readFileSync(join(box.root, 'pid'), 'utf8')), 5000);
      box.write('agent', `${pid} ${startOf(pid)}\n`);
      box.beat(0);
      process.kill(pid, 'SIGKILL');
      await until('a zombie', () => fieldsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))[0] === 'Z', 5000);
      box.notify('primary', 'fw1_fw2');
      expect(box.starts()).toBe(1);
    });

    it('starts nothing after conntrack-ha stop', () => {
      box.write('stopped', '');
      expect(box.notify('primary', 'fw1_fw2').status).toBe(0);
      expect(box.words()).toHaveLength(1);
      expect(box.starts()).toBe(0);
    });
  });

  it('passes the configuration on', async () => {
    box.notify('-c', '/etc/a b.yaml', 'primary', 'fw1_fw2');
    await until('the first call', () => box.calls().length === 1, 5000);
    box.notify('primary', 'fw1_fw2');
    const calls = await until(
      'two calls',
      () => box.calls(),
      5000,
      ({ length }) => length === 2,
    );
    expect(calls.map(({ args }) => args)).toEqual(['-c /etc/a b.yaml run --once', 'run --once']);
  });
});

describe('order', () => {
  let box: Sandbox;
  beforeEach(() => {
    box = new Sandbox();
    box.startAgent();
  });
  afterEach(() => box.remove());

  it('is that of the starts, also for a hook that is held up', async () => {
    const hook = `${join(box.hooks, 'keepalived-notify')} -r ${box.run}`;
    const late = box.start('/bin/sh', ['-c', `kill -STOP $$; exec ${hook} primary fw1_fw2`]);
    const stat = () => fieldsOf(readFileSync(`/proc/${late.pid}/stat`, 'utf8'));
    await until('the hook to be held', () => stat()[0] === 'T', 5000);
    const { pid } = box.notify('backup', 'fw1_fw2');
    expect(box.words()).toMatchObject([{ pid }]);
    process.kill(late.pid, 'SIGCONT');
    const words = await until(
      'both',
      () => box.words(),
      5000,
      ({ length }) => length === 2,
    );
    expect(words.map((word) => word.pid)).toEqual([late.pid, pid]);
    const [first = 0, last = 0] = words.map(({ name }) => statSync(join(box.run, 'words', name)).mtimeMs);
    expect(first).toBeGreaterThan(last);
  });

  it('is that of the pids for those that start within one tick', async () => {
    const pids = box.startNotifies(40, 'primary', 'fw1_fw2');
    const words = await until(
      'all',
      () => box.words(),
      10_000,
      (all) => all.every(whole) && all.length === pids.length,
    );
    expect(words.map(({ pid }) => pid)).toEqual(pids);
    // Else nothing was shown.
    expect(new Set(words.map(({ start }) => start)).size).toBeLessThan(pids.length);
  });
});

const whole = ({ text }: { readonly text: string }): boolean => text.endsWith('\n');

describe('killed at any moment', () => {
  it.each(SHELLS)('leaves a whole word or none, by %s', async (shell) => {
    const box = new Sandbox(shell);
    try {
      box.startAgent();
      const began = performance.now();
      for (let round = 0; round < 10; round++) {
        box.notify('primary', 'fw2_fw1');
      }
      // Goes to where the word is being written, however busy the machine is then.
      let middle = (performance.now() - began) / 10;
      let written = 0;
      for (let round = 0; round < 150; round++) {
        box.beat(0);
        const child = box.startNotify('primary', 'fw1_fw2');
        const ended = new Promise((resolve) => child.once('exit', resolve));
        const end = performance.now() + Math.random() * 1.5 * middle;
        while (performance.now() < end) {
          // Timers are too coarse for this.
        }
        child.kill('SIGKILL');
        await ended;
        const word = box.words().find(({ pid }) => pid === child.pid);
        expect(word?.text ?? '').toMatch(/^(MASTER \d+ \d+\n)?$/);
        written += word?.text ? 1 : 0;
        middle *= word?.text ? 0.9 : 1.1;
      }
      // Else it was killed always too early or always too late.
      expect(written).toBeGreaterThan(0);
      expect(written).toBeLessThan(150);
      const { pid } = box.notify('fault', 'fw1_fw2');
      expect(box.words().at(-1)).toMatchObject({ pid, text: expect.stringMatching(/^FAULT \d+ \d+\n$/) });
    } finally {
      box.remove();
    }
  });
});

describe('the whole directory', () => {
  it('may be unreadable for others, and is executable where it is to be', () => {
    const box = new Sandbox();
    try {
      chmodSync(box.hooks, 0o700);
      expect(box.notify('primary', 'fw1_fw2').status).toBe(0);
      const hooks = ['keepalived-notify', 'keepalived-check', 'keepalived-stop', 'run-once', 'ocf/group'];
      const modes = [...hooks, 'common.sh'].map(
        (name) => statSync(new URL(`../../../hooks/${name}`, import.meta.url)).mode & 0o111,
      );
      expect(modes).toEqual([...hooks.map(() => 0o111), 0]);
    } finally {
      box.remove();
    }
  });
});
