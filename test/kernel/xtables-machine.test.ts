import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { renderXtables } from '../../src/dataplane/xtables/render.ts';
import { clusterConfig, nodeNamed } from './dataplane/cluster-config.ts';
import type { Change } from './dataplane/node-program.ts';
import { Site } from './dataplane/site.ts';
import { useLegacy } from './dataplane/variant.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.build();
  await useLegacy(site.fw2);
}, 60_000);
afterAll(() => site?.remove());

const config = clusterConfig({ snat: true, firewall: 'xtables' });

describe.each([
  { node: 'fw1', variant: 'iptables-nft' },
  { node: 'fw2', variant: 'iptables-legacy' },
] as const)('with $variant', ({ node }) => {
  const machine = () => site[node];
  const load = (options: { owned?: readonly number[] } = {}, other = config) =>
    site.load(node, other, options);
  const unload = (other = config) => site.node({ action: 'unload', config: other, node });
  const own = (...changes: readonly Change[]) => site.node({ action: 'own', config, node, changes });
  const owned = async () => (await own()).owned;
  const rules = async () =>
    (await machine().run(['iptables-save']))
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replace(/ \[\d+:\d+\]$/, ''))
      .join('\n');
  const tables = async () => (await machine().run(['nft', 'list', 'tables'])).split('\n');
  const iptables = (...args: readonly string[]) => machine().run(['iptables', ...args]);

  beforeAll(async () => {
    const admin = [
      ['mangle', 'mine'],
      ['nat', 'mine'],
      ['raw', 'mine'],
    ];
    for (const [table = '', chain = ''] of admin) {
      await iptables('-t', table, '-N', chain);
      await iptables('-t', table, '-A', chain, '-p', 'tcp', '-j', 'RETURN');
    }
    await iptables('-t', 'mangle', '-A', 'PREROUTING', '-j', 'mine');
    await iptables('-t', 'nat', '-A', 'POSTROUTING', '-o', 'eth3', '-j', 'MASQUERADE');
    await iptables('-t', 'raw', '-A', 'PREROUTING', '-j', 'mine');
    await iptables('-A', 'FORWARD', '-i', 'eth1', '-j', 'ACCEPT');
  });
  afterEach(() => unload());

  it('load and unload leave the rules of others as they were', async () => {
    const before = await rules();
    await load({ owned: [3, 31] });
    const during = await rules();
    expect(during).toContain('--cluster-local-nodemask 0x80000000');
    // Ours come first.
    expect(during).toMatch(/-A PREROUTING -j CONNTRACK-HA\n-A PREROUTING -j mine/);
    await load({ owned: [4] });
    expect(await unload()).toEqual({ unloaded: { changed: true, warnings: [] } });
    expect(await rules()).toBe(before);
    expect((await tables()).filter((table) => table.includes('conntrack_ha'))).toEqual([]);
    expect(await unload()).toEqual({ unloaded: { changed: false, warnings: [] } });
  });

  it('the owned buckets change one by one, all at once, and to what they are', async () => {
    await load();
    expect(await owned()).toEqual([]);
    expect((await own({ add: [0, 7, 31], remove: [] })).owned).toEqual([0, 7, 31]);
    expect((await own({ add: [7], remove: [0, 1] })).owned).toEqual([7, 31]);
    const all = Array.from({ length: 32 }, (_, bucket) => bucket);
    expect((await own({ add: all, remove: [] })).owned).toEqual(all);
    const { took = [] } = await own(
      ...all.map((bucket) => ({ add: [], remove: [bucket] })),
      ...all.map((bucket) => ({ add: [bucket], remove: [] })),
    );
    expect(took).toHaveLength(64);
  });

  it('a second load changes nothing, keeps the buckets, and mends what is missing', async () => {
    const first = await load({ owned: [5, 17] });
    const before = await rules();
    expect(await load()).toEqual({ ...first, fresh: false });
    expect(await rules()).toBe(before);
    expect((await site.node({ action: 'id', config, node })).id).toBe(first.id);
    const second = await load({}, { ...config, helpers: ['ftp'] });
    // Whether it warns of a helper's module depends on the kernel.
    expect(second).toMatchObject({ id: first.id, fresh: false });
    expect(await owned()).toEqual([5, 17]);
    expect(await rules()).toContain('--helper ftp');
  });

  it.each([
    ['a table was flushed', ['-t', 'mangle', '-F']],
    ['the translation was flushed', ['-t', 'nat', '-F', 'POSTROUTING']],
  ])('a load begins closed, with another id, when %s', async (_, flush) => {
    const first = await load({ owned: [5] });
    await iptables(...flush);
    expect((await site.node({ action: 'id', config, node })).id).toBeUndefined();
    const second = await load();
    expect(second.fresh).toBe(true);
    expect(second.id).not.toBe(first.id);
    expect(await owned()).toEqual([]);
  });

  it('says that it is not loaded, and what to do, when the buckets are asked for', async () => {
    expect((await own()).error).toEqual({
      name: 'ChainMissingError',
      message:
        'there is no rule "-A PREROUTING -j CONNTRACK-HA" in the table mangle: the data plane is not loaded; load it with "conntrack-ha start"',
    });
  });

  it('what render prints can be checked', async () => {
    const input = renderXtables(config, nodeNamed(config, node));
    await machine().run(['iptables-restore', '--noflush', '--test'], { input });
    expect(await rules()).not.toContain('CONNTRACK-HA');
  });

  it('takes the place of nftables, and gives it back', async () => {
    const other = { ...config, firewall: 'nftables' } as const;
    await load({ owned: [5] }, other);
    expect((await load()).fresh).toBe(true);
    expect(await owned()).toEqual([]);
    expect(await tables()).not.toContain('table inet conntrack_ha');
    expect((await load({}, other)).fresh).toBe(true);
    expect(await rules()).not.toContain('CONNTRACK-HA');
    expect(await tables()).toContain('table inet conntrack_ha');
    // The configuration names the other one by now.
    await unload();
    expect((await tables()).filter((table) => table.includes('conntrack_ha'))).toEqual([]);
  });

  it('takes back what it did when the rules are refused', async () => {
    const before = await rules();
    const wrong = { ...config, seed: -1 };
    const { error } = await site.node({ action: 'load', config: wrong, node });
    expect(error?.name).toBe('ProgramError');
    expect(error?.message).toMatch(/iptables-restore --noflush -w 10 failed: /);
    expect(await rules()).toBe(before);
  });
});
