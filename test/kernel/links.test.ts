import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownAddresses } from '../../src/dataplane/own-addresses.ts';
import {
  addressesOf,
  linkExists,
  listLinks,
  localAddresses,
  openLinkChannel,
} from '../../src/kernel/links.ts';

const ip = (...args: string[]) => execa('ip', args);

const find = async (name: string) => (await listLinks()).find((link) => link.name === name);

beforeEach(async () => {
  const peer = ['type', 'veth', 'peer', 'name', 'far-end'];
  await ip('link', 'add', 'near-end', 'address', '02:00:00:00:00:0a', ...peer);
});

afterEach(async () => {
  await ip('link', 'del', 'near-end');
});

describe('a link', () => {
  it('is listed with its index and MAC', async () => {
    const { stdout } = await ip('-o', 'link', 'show', 'near-end');

    const link = await find('near-end');

    expect(link).toMatchObject({ mac: '02:00:00:00:00:0a', up: false, carrier: false });
    expect(link?.index).toBe(Number.parseInt(stdout, 10));
  });

  it('has a carrier when both ends are up', async () => {
    await ip('link', 'set', 'near-end', 'up');
    expect(await find('near-end')).toMatchObject({ up: true, carrier: false });

    await ip('link', 'set', 'far-end', 'up');
    expect(await find('near-end')).toMatchObject({ up: true, carrier: true });

    await ip('link', 'set', 'near-end', 'down');
    expect(await find('near-end')).toMatchObject({ up: false, carrier: false });
  });

  it('is a port of something or of nothing', async () => {
    expect(await find('near-end')).toMatchObject({ master: 0 });

    await ip('link', 'add', 'over-it', 'type', 'bridge');
    await ip('link', 'set', 'near-end', 'master', 'over-it');
    const [port, master] = [await find('near-end'), await find('over-it')];
    await ip('link', 'del', 'over-it');
    expect(port?.master).toBe(master?.index);
  });

  it('exists or not', async () => {
    expect(await linkExists('near-end')).toBe(true);
    expect(await linkExists('lo')).toBe(true);
    expect(await linkExists('near')).toBe(false);
  });

  it('is found among very many, by readers at the same time', { timeout: 20_000 }, async () => {
    const names = Array.from({ length: 60 }, (_, index) => `many${index}`);
    const batch = names.map((name) => `link add ${name} type bridge`).join('\n');
    await execa('ip', ['-batch', '-'], { input: batch });

    const [first, second] = await Promise.all([listLinks(), listLinks()]);

    const found = first.map(({ name }) => name);
    expect(found).toEqual(expect.arrayContaining([...names, 'lo', 'near-end', 'far-end']));
    expect(found).toEqual(second.map(({ name }) => name));
    await execa('ip', ['-batch', '-'], { input: names.map((name) => `link del ${name}`).join('\n') });
  });
});

describe('local addresses', () => {
  it('are those of IPv4, with device and prefix', async () => {
    await ip('address', 'add', '192.168.0.5/24', 'dev', 'near-end');
    await ip('address', 'add', '192.168.0.6/24', 'dev', 'near-end');
    await ip('address', 'add', '10.9.9.1', 'peer', '10.9.9.2/32', 'dev', 'far-end');
    await ip('address', 'add', 'fd00::5/64', 'dev', 'near-end');

    const addresses = await localAddresses();

    expect(addresses.filter(({ device }) => device !== 'lo')).toEqual([
      { device: 'far-end', address: '10.9.9.1', prefix: 32, deprecated: false },
      { device: 'near-end', address: '192.168.0.5', prefix: 24, deprecated: false },
      { device: 'near-end', address: '192.168.0.6', prefix: 24, deprecated: false },
    ]);
  });

  it('are those of IPv6 as well if they are asked for', async () => {
    await ip('address', 'add', '192.168.0.7/24', 'dev', 'near-end');
    await ip('address', 'add', 'fd00:0:0::7/64', 'dev', 'near-end', 'nodad');
    await ip('address', 'add', 'fe80::7/64', 'dev', 'near-end', 'nodad');
    await ip('address', 'add', 'fd00::9:1', 'peer', 'fd00::9:2/128', 'dev', 'far-end');

    const addresses = await localAddresses([4, 6]);

    expect(addresses).toContainEqual({
      device: 'near-end',
      address: '192.168.0.7',
      prefix: 24,
      deprecated: false,
    });
    expect(addresses).toContainEqual({
      device: 'near-end',
      address: 'fd00::7',
      prefix: 64,
      deprecated: false,
    });
    expect(addresses).toContainEqual({
      device: 'far-end',
      address: 'fd00::9:1',
      prefix: 128,
      deprecated: false,
    });
    expect(addresses).toContainEqual({
      device: 'near-end',
      address: 'fe80::7',
      prefix: 64,
      deprecated: false,
    });
    const channel = openLinkChannel();
    expect(await addressesOf(await listLinks(channel), [4, 6], channel)).toEqual(addresses);
    channel.close();
    const node = { name: 'fw1', id: 1, sync: '192.168.0.7', devices: {} };
    const own = await ownAddresses(node);
    expect(own).toEqual(expect.arrayContaining(['192.168.0.7', 'fd00::7', 'fd00::9:1']));
    expect(own.filter((address) => /^(127|::1$|fe80)/.test(address))).toEqual([]);
    expect(await ownAddresses({ ...node, sync: '192.168.0.99' })).toEqual([]);
    expect(await localAddresses([6])).not.toContainEqual(expect.objectContaining({ address: '192.168.0.7' }));
  });
});
