import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Assembler } from '../../src/kernel/bpf-assembler.ts';
import { TrafficControl } from '../../src/kernel/traffic-control.ts';

/** The loopback interface, of this test's own network namespace. */
const AT = { index: 1, priority: 49_152 };

const always = (verdict: number) => {
  const program = new Assembler();
  program.finish(verdict);
  return program.assemble();
};
const pings = async (): Promise<boolean> =>
  (await execa('ping', ['-c', '1', '-W', '1', '127.0.0.1'], { reject: false })).exitCode === 0;
const listed = async () => (await execa('tc', ['filter', 'show', 'dev', 'lo', 'ingress'])).stdout;

let control: TrafficControl;
beforeEach(async () => {
  await execa('ip', ['link', 'set', 'lo', 'up']);
  control = new TrafficControl();
});
afterEach(async () => {
  control.close();
  await execa('tc', ['qdisc', 'del', 'dev', 'lo', 'clsact'], { reject: false });
});

describe('an ingress program', () => {
  it('drops, passes when it is replaced, and is gone when it is removed', async () => {
    await control.set(AT, always(2));
    expect(await pings()).toBe(false);
    await control.set(AT, always(0xffff_ffff));
    expect(await pings()).toBe(true);
    expect((await listed()).split('pref 49152 bpf chain 0 handle')).toHaveLength(2);
    await control.set(AT, always(2));
    await control.remove(AT);
    expect([await pings(), await listed()]).toEqual([true, '']);
  });

  it('is brought by who keeps it only where there is none', async () => {
    expect(await control.keep(AT, always(2))).toBe(true);
    expect(await control.keep(AT, always(0xffff_ffff))).toBe(false);
    expect(await pings()).toBe(false);
    await execa('tc', ['qdisc', 'del', 'dev', 'lo', 'clsact']);
    expect(await pings()).toBe(true);
    expect(await control.keep(AT, always(2))).toBe(true);
    expect(await pings()).toBe(false);
    await control.remove(AT);
    expect(await control.keep(AT, always(2))).toBe(true);
  });

  it('is removed where there is none, and leaves an administrator’s own alone', async () => {
    await control.remove(AT);
    await execa('tc', ['qdisc', 'add', 'dev', 'lo', 'clsact']);
    await control.remove(AT);
    const filter = ['filter', 'add', 'dev', 'lo', 'ingress', 'pref', '7', 'protocol', 'ip'];
    await execa('tc', [...filter, 'bpf', 'bytecode', '1,6 0 0 0', 'da']);
    await control.set(AT, always(0xffff_ffff));
    expect(await listed()).toContain('pref 7 bpf');
    await control.remove(AT);
    expect(await listed()).toContain('pref 7 bpf');
  });

  it('is refused with a reason where it can’t be', async () => {
    await expect(control.set({ ...AT, index: 4711 }, always(2))).rejects.toThrow(/interface 4711: ENODEV/);
  });
});
