import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Channel } from '../../src/kernel/channel.ts';
import { listLinks, openLinkChannel } from '../../src/kernel/links.ts';
import { routeTo } from '../../src/kernel/routes.ts';

const ip = (...args: string[]) => execa('ip', args);

let channel: Channel;
let near: number;

beforeEach(async () => {
  await ip('link', 'set', 'lo', 'up');
  await ip('link', 'add', 'near-end', 'type', 'veth', 'peer', 'name', 'far-end');
  for (const device of ['near-end', 'far-end']) await ip('link', 'set', device, 'up');
  await ip('address', 'add', '192.168.0.5/24', 'dev', 'near-end');
  await ip('address', 'add', 'fd00:1::5/64', 'dev', 'near-end', 'nodad');
  channel = openLinkChannel();
  near = (await listLinks(channel)).find(({ name }) => name === 'near-end')?.index ?? 0;
});

afterEach(async () => {
  channel.close();
  await ip('link', 'del', 'near-end');
});

describe.each([
  ['IPv4', '192.168.0.9', '192.168.0.5', '10.0.0.0/8', '10.1.2.3', '192.168.0.1'],
  ['IPv6', 'fd00:1::9', 'fd00:1::5', 'fd00:a::/32', 'fd00:a::3', 'fd00:1::1'],
])('a route of %s', (_, neighbour, own, prefix, host, router) => {
  it('leaves by the interface that the kernel would take', async () => {
    expect(await routeTo(neighbour, channel)).toEqual({ kind: 'out', index: near });

    await ip('route', 'add', prefix, 'via', router);
    expect(await routeTo(host, channel)).toEqual({ kind: 'out', index: near });
  });

  it('to an address of this machine is local', async () => {
    expect(await routeTo(own, channel)).toEqual({ kind: 'local' });
  });

  it('may not be there', async () => {
    expect(await routeTo(host, channel)).toEqual({ kind: 'none' });
  });

  it.each(['blackhole', 'unreachable', 'prohibit'])('may lead nowhere: %s', async (kind) => {
    await ip('route', 'add', kind, prefix);
    const found = await routeTo(host, channel);
    await ip('route', 'del', kind, prefix);
    expect(found).toEqual({ kind });
  });

  it('is found by rules and other tables too', async () => {
    await ip('route', 'add', 'blackhole', prefix);
    await ip('route', 'add', prefix, 'via', router, 'table', '77');
    const family = host.includes(':') ? '-6' : '-4';
    await ip(family, 'rule', 'add', 'to', prefix, 'lookup', '77');
    const found = await routeTo(host, channel);
    await ip(family, 'rule', 'del', 'to', prefix, 'lookup', '77');
    await ip('route', 'del', 'blackhole', prefix);
    expect(found).toEqual({ kind: 'out', index: near });
  });
});

it('is asked by several at the same time', async () => {
  const found = await Promise.all(['192.168.0.9', '10.1.2.3', 'fd00:1::9'].map((to) => routeTo(to, channel)));
  expect(found).toEqual([{ kind: 'out', index: near }, { kind: 'none' }, { kind: 'out', index: near }]);
});
