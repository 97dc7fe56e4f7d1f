import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Channel } from '../../src/kernel/channel.ts';
import { ingressRedirects } from '../../src/kernel/ingress-filters.ts';
import { listLinks, openLinkChannel } from '../../src/kernel/links.ts';

/** On the loopback interface of this test's own network namespace. */
const run = (line: string) => execa(line.split(' ')[0] ?? '', line.split(' ').slice(1));
const filter = (priority: number, ...words: readonly string[]) =>
  execa('tc', [
    ...['filter', 'add', 'dev', 'lo', 'ingress', 'pref', String(priority), 'protocol', 'ip'],
    ...words.flatMap((part) => (part.includes(',') ? [part] : part.split(' '))),
  ]);
/** Every packet, by two kinds of filters. */
const U32 = 'u32 match u32 0 0';
const BPF = ['bpf bytecode', '1,6 0 0 4294967295'];

let channel: Channel;
let ifb: number;
beforeEach(async () => {
  channel = openLinkChannel();
  await run('ip link add ifb9 type ifb');
  ifb = (await listLinks(channel)).find(({ name }) => name === 'ifb9')?.index ?? 0;
});
afterEach(async () => {
  channel.close();
  await execa('tc', ['qdisc', 'del', 'dev', 'lo', 'ingress'], { reject: false });
  await execa('tc', ['qdisc', 'del', 'dev', 'lo', 'clsact'], { reject: false });
  await run('ip link del ifb9');
});

describe('ingress redirects', () => {
  it('are none without a qdisc, and with one that has no filter', async () => {
    expect(await ingressRedirects(channel, 1)).toEqual([]);
    await run('tc qdisc add dev lo ingress');
    expect(await ingressRedirects(channel, 1)).toEqual([]);
  });

  it.each(['ingress', 'clsact'])('are told from all else that filters do, of the qdisc %s', async (qdisc) => {
    await run(`tc qdisc add dev lo ${qdisc}`);
    await filter(10, U32, 'action mirred egress redirect dev ifb9');
    await filter(20, U32, 'action mirred egress mirror dev ifb9');
    await filter(40, ...BPF, 'action mirred egress mirror dev ifb9 action mirred ingress redirect dev ifb9');
    await filter(50, ...BPF, 'da');
    expect(await ingressRedirects(channel, 1)).toEqual([
      { to: ifb, priority: 10, kind: 'u32' },
      { to: ifb, priority: 40, kind: 'bpf' },
    ]);
  });
});
