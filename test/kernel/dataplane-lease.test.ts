import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterConfig } from '../../src/config/types.ts';
import { parseOwnedSet } from '../lab/rig/owned-set.ts';
import { until } from '../lab/rig/wait.ts';
import { clusterConfig } from './dataplane/cluster-config.ts';
import type { Renewals } from './dataplane/node-program.ts';
import { halves, LOWER, SERVER, Site } from './dataplane/site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.build();
}, 60_000);
afterAll(() => site?.remove());

const base = clusterConfig({ snat: false });
const leased = (lease: number): ClusterConfig => ({
  ...base,
  manager: 'keepalived',
  timeouts: { ...base.timeouts, lease },
});
const [source = ''] = halves().fw1;

afterEach(() => site.node({ action: 'unload', config: base, node: 'fw1' }));

/** Echo requests from a client that fw1 filters: `count` of them, one a millisecond, or as they are answered. */
const ping = async (count: number, flood = false): Promise<{ sent: number; received: number }> => {
  const pace = flood ? ['-f'] : ['-i', '0.001'];
  const line = ['ping', '-q', '-n', ...pace, '-c', String(count), '-W', '1', '-I', source, SERVER];
  const text = await site.client.run(line);
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
  return { sent: Number(sent), received: Number(received) };
};

/** Packets that fw1 has sorted since the load. */
const packets = async (verdict: 'filtered by this node' | 'another node filters these'): Promise<number> => {
  const rules = await site.fw1.run(['nft', 'list', 'table', 'netdev', 'conntrack_ha']);
  const counts = [...rules.matchAll(new RegExp(`counter packets (\\d+) .*"${verdict}"`, 'g'))];
  expect(counts).not.toEqual([]);
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
};

const ownedText = () => site.fw1.run(['nft', 'list', 'set', 'netdev', 'conntrack_ha', 'owned']);
const owned = async () =>
  parseOwnedSet(await site.fw1.run(['nft', '-j', 'list', 'set', 'netdev', 'conntrack_ha', 'owned']));

const renew = async (renewals: Renewals): Promise<readonly number[]> => {
  const { renewed, error } = await site.node({ action: 'renew', config: base, node: 'fw1', renewals });
  if (renewed === undefined) throw new Error(error?.message);
  return renewed;
};

describe('owned buckets that are renewed', () => {
  it('carry every packet of a stream, through 200 renewals and past the first timeout', async () => {
    await site.load('fw1', leased(5000), { owned: LOWER });

    const [stream, renewed] = await Promise.all([
      ping(4000),
      renew({ rounds: 200, everyMs: 10, timeout: 1500 }),
    ]);

    expect(stream).toEqual({ sent: 4000, received: 4000 });
    expect(renewed).toEqual(Array.from({ length: 200 }, () => 32));
    expect(await packets('another node filters these')).toBe(0);
    expect(await packets('filtered by this node')).toBeGreaterThanOrEqual(8000);
  });

  it('carry every packet of a flood while they are renewed without rest', async () => {
    await site.load('fw1', leased(60_000), { owned: LOWER });

    const [flood, renewed] = await Promise.all([
      ping(20_000, true),
      renew({ rounds: 2000, everyMs: 0, timeout: 60_000 }),
    ]);

    expect(flood).toEqual({ sent: 20_000, received: 20_000 });
    expect(new Set(renewed)).toEqual(new Set([32]));
    expect(await packets('another node filters these')).toBe(0);
  });
});

describe('owned buckets that nobody renews', () => {
  it('end by themselves, and their packets are dropped before conntrack sees them', async () => {
    await site.load('fw1', leased(800), { owned: LOWER });
    // ping waits ten milliseconds for an answer that doesn't come.
    const stream = await ping(1000);

    expect(await owned()).toEqual([]);
    expect(stream.received).toBeGreaterThan(0);
    expect(stream.received).toBeLessThanOrEqual(800);
    expect(await packets('another node filters these')).toBe(1000 - stream.received);
    await site.fw1.run(['conntrack', '-F']);
    expect(await site.pingable(SERVER, [source])).toEqual([]);
    expect(await site.flows('fw1')).toEqual([]);
  });

  it('stay where no manager says who owns them', async () => {
    await site.load('fw1', { ...leased(1000), manager: 'none' }, { owned: LOWER });
    expect(await owned()).toEqual(LOWER);
    expect(await ownedText()).not.toMatch(/expires/);
  });

  it('stay where there is no lease', async () => {
    await site.load('fw1', leased(0), { owned: LOWER });
    expect(await owned()).toEqual(LOWER);
    expect(await ownedText()).not.toMatch(/expires/);
  });
});

describe('other rules', () => {
  // Another port of the agents changes the rules and not the hash.
  const other: ClusterConfig = { ...leased(60_000), sync: { ...base.sync, port: 3790 } };

  it('keep the owned buckets, for another lease', async () => {
    const { id } = await site.load('fw1', leased(10_000), { owned: LOWER });
    await until('a second of it', ownedText, 5000, (text) => !/expires (9s|10s)/.test(text));

    expect(await site.load('fw1', other)).toMatchObject({ id, fresh: false });

    expect(await owned()).toEqual(LOWER);
    expect((await ownedText()).match(/timeout 1m expires 5\ds/g)).toHaveLength(LOWER.length);
  });

  it('do not bring back what has ended', async () => {
    await site.load('fw1', leased(200), { owned: LOWER });
    await until('the end', owned, 5000, (buckets) => buckets.length === 0);

    await site.load('fw1', other);

    expect(await owned()).toEqual([]);
  });
});
