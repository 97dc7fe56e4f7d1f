import { mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../lab/rig/wait.ts';
import { GroupBox } from './group-box.ts';
import { SHELLS, startOf } from './sandbox.ts';

const ABSENT =
  "ocf-exit-reason:the conntrack-ha agent doesn't run on this node; systemctl start conntrack-ha\n";
const DONE = { status: 0, stdout: '', stderr: '' };

describe.each(SHELLS)('the resource agent by %s', (shell) => {
  let box: GroupBox;
  beforeEach(() => {
    box = new GroupBox(shell);
  });
  afterEach(() => box.remove());

  describe('start', () => {
    it('leaves UNPROMOTED in the name of its parent, and remembers the resource', () => {
      box.startAgent();
      expect(box.act('start')).toEqual(DONE);
      expect(box.words()).toMatchObject([
        { group: 'fw1_fw2', text: `UNPROMOTED ${process.pid} ${startOf(process.pid)}\n` },
      ]);
      expect(box.held).toBe('started g1\n');
      expect(readdirSync(join(box.run, 'pacemaker'))).toEqual(['fw1_fw2']);
      expect(statSync(join(box.run, 'pacemaker')).mode & 0o777).toBe(0o700);
      expect(box.starts()).toBe(0);
    });

    it('takes the name of the resource for the group, without the number of an instance', () => {
      box.startAgent();
      expect(box.act('start', { OCF_RESKEY_group: '', OCF_RESOURCE_INSTANCE: 'fw1_fw2:1' })).toEqual(DONE);
      expect(box.held).toBe('started fw1_fw2\n');
    });

    it('waits for an agent that comes', async () => {
      let looks = 0;
      const outcome = await box.during('start', () => ++looks === 10 && box.startAgent());
      expect(outcome).toEqual(DONE);
      expect(box.said).toEqual(['UNPROMOTED']);
    });

    it.each([
      ['none has run', () => undefined],
      ['it hangs', () => box.startAgent() && box.beat(400)],
      ['it has just ended', () => box.startAgent() && rmSync(join(box.run, 'agent'))],
    ])('fails without an agent: %s', (_, change) => {
      change();
      expect(box.act('start')).toEqual({ status: 1, stdout: '', stderr: ABSENT });
      expect(box.said).toEqual([]);
      expect(box.held).toBeUndefined();
      expect(box.starts()).toBe(0);
    });

    it('has nothing to do when it is started', () => {
      box.held = 'started g1\n';
      expect(box.act('start')).toEqual(DONE);
      expect(box.said).toEqual([]);
    });

    it('leaves a promoted one unpromoted', () => {
      box.startAgent();
      box.held = 'promoted g1\n';
      expect(box.act('start')).toEqual(DONE);
      expect([box.said, box.held]).toEqual([['UNPROMOTED'], 'started g1\n']);
    });

    it('refuses a group that another resource runs', () => {
      box.startAgent();
      box.held = 'started g2\n';
      const { status, stderr } = box.act('start');
      expect(status).toBe(1);
      expect(stderr).toMatch(/^ocf-exit-reason:fw1_fw2 is already run by the resource g2; /);
    });
  });

  describe('promote', () => {
    beforeEach(() => {
      box.startAgent();
      box.held = 'started g1\n';
      box.answer('replica', 'not yet');
    });

    it('waits until the agent says that this node is the owner', async () => {
      const outcome = await box.during('promote', () => box.words().length > 0 && box.answer('owner'));
      expect(outcome).toEqual(DONE);
      expect([box.said, box.held]).toEqual([['PROMOTED'], 'promoted g1\n']);
    });

    it("takes it back in time and gives the agent's reason", () => {
      box.answer('replica', 'fw2 holds "it" \\ still","time":"ever\n');
      const { status, stderr } = box.act('promote');
      expect(status).toBe(1);
      expect(stderr).toBe('ocf-exit-reason:fw2 holds "it" \\ still","time":"ever \n');
      expect([box.said, box.held]).toEqual([['PROMOTED', 'UNPROMOTED'], 'started g1\n']);
      expect(new Set(box.words().map(({ text }) => text.replace(/^\w+/, ''))).size).toBe(1);
      const [first, second] = box.words();
      expect(second?.pid).not.toBe(first?.pid);
    });

    it('says that no agent runs, and has started it for one round', async () => {
      box.beat(400);
      expect(box.act('promote')).toEqual({ status: 1, stdout: '', stderr: ABSENT });
      await until('the program', () => box.calls().length > 0, 5000);
      expect(box.calls()[0]?.args).toBe('-c /etc/conntrack-ha/cluster.yaml run --once');
    });

    it('says that there was no answer', () => {
      rmSync(join(box.run, 'groups/fw1_fw2'));
      expect(box.act('promote').stderr).toMatch(/^ocf-exit-reason:the conntrack-ha agent gave no answer/);
    });

    it('has nothing to do for a promoted owner, and asks again otherwise', () => {
      box.held = 'promoted g1\n';
      expect(box.act('promote').status).toBe(1);
      expect([box.said, box.held]).toEqual([['PROMOTED', 'UNPROMOTED'], 'started g1\n']);
      box.held = 'promoted g1\n';
      box.answer('owner');
      expect(box.act('promote')).toEqual(DONE);
      expect(box.said).toHaveLength(2);
    });

    it.each(['', 'promoted g2\n'])('promotes nothing that is not started here (%j)', (held) => {
      box.held = held;
      expect(box.act('promote').status).toBe(7);
      expect(box.act('demote').status).toBe(7);
      expect(box.said).toEqual([]);
    });
  });

  describe('demote', () => {
    it('is done at once where an agent runs, and for what is only started', () => {
      box.held = 'started g1\n';
      expect(box.act('demote')).toEqual(DONE);
      expect([box.said, box.starts()]).toEqual([['UNPROMOTED'], 1]);
      box.startAgent();
      box.beat(0);
      box.held = 'promoted g1\n';
      expect(box.act('demote')).toEqual(DONE);
      expect([box.said, box.held]).toEqual([['UNPROMOTED', 'UNPROMOTED'], 'started g1\n']);
    });

    it('waits without an agent until the one that was started has heard it', async () => {
      box.held = 'promoted g1\n';
      const began = performance.now();
      const hears = (): void => {
        if (performance.now() - began > 500) {
          box.hear();
        }
      };
      expect(await box.during('demote', hears)).toMatchObject({ status: 0 });
      expect(performance.now() - began).toBeGreaterThan(500);
      expect([box.held, box.starts()]).toEqual(['started g1\n', 1]);
    });

    it('fails where nobody hears it, and says how long the group is served there', () => {
      box.held = 'promoted g1\n';
      const { status, stderr } = box.act('demote');
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /systemctl start conntrack-ha; until then or the end of its lease it serves fw1_fw2$/m,
      );
      expect([box.said, box.held]).toEqual([['UNPROMOTED'], 'started g1\n']);
    });
  });

  describe('stop', () => {
    it.each(['started g1\n', 'promoted g1\n'])('leaves STOPPED (%j), also without an agent', (held) => {
      box.held = held;
      expect(box.act('stop')).toEqual(DONE);
      expect([box.said, box.held]).toEqual([['STOPPED'], undefined]);
      expect(box.act('stop')).toEqual(DONE);
      expect(box.said).toHaveLength(1);
    });

    it('leaves no word where it was not started, or another resource was', () => {
      expect(box.act('stop')).toEqual(DONE);
      box.held = 'started g2\n';
      expect(box.act('stop')).toEqual(DONE);
      expect([box.said, box.held]).toEqual([[], 'started g2\n']);
    });

    it('fails if its word is lost, and remembers what it was', () => {
      box.held = 'promoted g1\n';
      rmSync(join(box.run, 'words'), { recursive: true });
      writeFileSync(join(box.run, 'words'), 'not a directory');
      const { status, stderr } = box.act('stop');
      expect(status).toBe(1);
      expect(stderr).toBe(
        `ocf-exit-reason:${box.run}/words: can't be written; STOPPED of fw1_fw2 is lost; look at the file system\n`,
      );
      expect(box.held).toBe('promoted g1\n');
    });
  });

  describe('monitor', () => {
    it.each([
      [undefined, 'owner', 7],
      ['started g1\n', 'replica', 0],
      ['started g1\n', 'owner', 0],
      ['promoted g1\n', 'owner', 8],
      ['promoted g1\n', undefined, 8],
      ['promoted g2\n', 'owner', 7],
      ['promoted', 'owner', 7],
      ['\n', 'owner', 7],
    ] as const)('of %j when the agent says %s is %d, and starts nothing', (held, role, status) => {
      for (const name of ['attrd_updater', 'setsid', 'mkdir', 'cat', 'readlink', 'sleep', 'timeout']) {
        box.script(`bin/${name}`, `echo ${name} >>${box.root}/scores`);
      }
      box.startAgent();
      box.callerKnown();
      if (held !== undefined) {
        box.held = held;
      }
      if (role !== undefined) {
        box.answer(role);
      }
      expect(box.act('monitor')).toEqual({ ...DONE, status });
      expect(box.act('monitor', { OCF_RESKEY_CRM_meta_interval: '10000' })).toEqual({ ...DONE, status });
      expect(box.scores).toEqual([]);
      expect(box.said).toEqual([]);
    });

    it.each([
      ['started g1\n', ['UNPROMOTED']],
      ['promoted g1\n', ['PROMOTED']],
      [undefined, []],
    ])('of %j repeats its word in the name of a Pacemaker that the agent does not know', (held, words) => {
      box.startAgent();
      box.write('manager', '1 1\n');
      if (held !== undefined) {
        box.held = held;
      }
      box.act('monitor');
      expect(box.said).toEqual(words);
    });

    it('repeats no word to be the owner where another has taken the group over', () => {
      box.startAgent();
      box.write('manager', '1 1\n');
      box.held = 'promoted g1\n';
      box.answer('replica', 'fw2 asks for it');
      expect(box.act('monitor').status).toBe(9);
      expect(box.said).toEqual([]);
    });

    it.each(['0', '10000'])(
      'is 9 when the agent has made the promoted a replica (interval %s)',
      (interval) => {
        box.startAgent();
        box.held = 'promoted g1\n';
        box.answer('replica', 'fw2 says "mine"');
        const change = { OCF_RESKEY_CRM_meta_interval: interval, OCF_EXIT_REASON_PREFIX: 'why:' };
        expect(box.act('monitor', change)).toEqual({
          status: 9,
          stdout: '',
          stderr: 'why:fw2 says "mine"\n',
        });
      },
    );

    it.each([
      ['started g1\n', 'replica', 0, '-D'],
      ['started g1\n', 'owner', 0, '-U 1'],
      ['promoted g1\n', 'owner', 8, '-U 1'],
      ['promoted g1\n', 'replica', 8, '-D'],
      ['promoted g1\n', undefined, 8, '-U 1'],
    ] as const)('of %j with %s and without an agent is %d, and sets %s', (held, role, status, score) => {
      box.held = held;
      if (role !== undefined) {
        box.answer(role);
      }
      box.beat(400);
      expect(box.act('monitor')).toEqual({ ...DONE, status });
      expect(box.act('monitor')).toEqual({ ...DONE, status });
      expect(box.scores).toEqual(Array(2).fill(`-n master-g1 ${score}`));
      expect(box.starts()).toBe(1);
    });

    it('fails for a promoted after conntrack-ha stop, which ends the forwarding', () => {
      box.held = 'promoted g1\n';
      box.write('stopped', '');
      const { status, stderr } = box.act('monitor');
      expect(status).toBe(9);
      expect(stderr).toMatch(/^ocf-exit-reason:conntrack-ha stop was given on this node; /);
      expect(box.scores).toEqual(['-n master-g1 -D']);
      expect(box.starts()).toBe(0);
    });

    it('is not held up nor failed by the score', () => {
      box.held = 'started g1\n';
      box.script('bin/attrd_updater', 'exit 1');
      expect(box.act('monitor')).toEqual(DONE);
      rmSync(join(box.root, 'bin/attrd_updater'));
      expect(box.act('monitor')).toEqual(DONE);
    });
  });

  it.each(['file', 'directory'])('is found through a link to its %s', (what) => {
    mkdirSync(join(box.root, 'resource.d'));
    const link = join(box.root, 'resource.d', what === 'file' ? 'group' : 'conntrack-ha');
    symlinkSync(what === 'file' ? box.agent : join(box.hooks, 'ocf'), link);
    Object.defineProperty(box, 'agent', { value: what === 'file' ? link : join(link, 'group') });
    box.startAgent();
    expect(box.act('start')).toEqual(DONE);
    expect(box.act('monitor')).toEqual(DONE);
  });

  it('works without PATH, HOME and any other variable but the resource', () => {
    box.startAgent();
    const change = { PATH: undefined, CONNTRACK_HA: undefined, OCF_RESKEY_CRM_meta_timeout: undefined };
    expect(box.act('start', change)).toEqual(DONE);
    expect(box.act('monitor', change)).toEqual(DONE);
    expect(box.act('stop', change)).toEqual(DONE);
  });
});

describe('two at the same time, killed at any moment', () => {
  it('leave the state whole', async () => {
    const box = new GroupBox();
    try {
      box.startAgent();
      box.answer('owner');
      box.held = 'started g1\n';
      const seen = new Set<string>();
      for (let round = 0; round < 60; round++) {
        box.beat(0);
        const actions = ['promote', 'demote'].map((action) => {
          const child = box.start('/usr/bin/env', [
            ...Object.entries(box.ocf).map(([name, value]) => `${name}=${value}`),
            box.agent,
            action,
          ]);
          return { child, ended: new Promise((resolve) => child.once('exit', resolve)) };
        });
        const end = performance.now() + Math.random() * 25;
        while (performance.now() < end) {
          seen.add(box.held ?? 'none');
        }
        for (const { child, ended } of actions) {
          child.kill('SIGKILL');
          await ended;
        }
        seen.add(box.held ?? 'none');
      }
      expect([...seen].sort()).toEqual(['promoted g1\n', 'started g1\n']);
    } finally {
      box.remove();
    }
  });
});
