import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portRange } from '../../src/cluster/ranges.ts';
import { clusterConfig, SHARED } from './dataplane/cluster-config.ts';
import { bucketOf, CLIENTS, halves, LOWER, SERVER, Site } from './dataplane/site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.build();
}, 60_000);
afterAll(() => site?.remove());

/** The lower half of 32 buckets holds the same addresses as that of 64. */
const { fw1, fw2 } = halves();
const FIRST = LOWER.filter((bucket) => bucket < 16);
const SECOND = LOWER.filter((bucket) => bucket >= 16);
const BUCKETS = 32;

type Node = 'fw1' | 'fw2';

/** Source address and port that the server saw, from `0 192.168.1.5 1024`; each datagram answered once and no more. */
const seenOnce = (replies: readonly string[] | undefined): { address: string; port: number } => {
  const lines = (replies ?? []).map((reply) => reply.split(' '));
  expect(lines.map(([number]) => number).sort()).toEqual(['0', '1', '2']);
  expect(new Set(lines.map(([, address, port]) => `${address} ${port}`)).size).toBe(1);
  return { address: lines[0]?.[1] ?? '', port: Number(lines[0]?.[2]) };
};

const load = async (
  snat: boolean,
  owned: Readonly<Record<Node, readonly number[]>>,
  firewalls: Readonly<Record<Node, 'nftables' | 'xtables'>> = { fw1: 'xtables', fw2: 'xtables' },
) => {
  const config = clusterConfig({ snat, firewall: 'xtables' });
  const one = (node: Node) =>
    site.load(node, { ...config, firewall: firewalls[node] }, { owned: owned[node] });
  await Promise.all([one('fw1'), one('fw2')]);
  await Promise.all([site.fw1.run(['conntrack', '-F']), site.fw2.run(['conntrack', '-F'])]);
};

const sources = async (node: Node) =>
  (await site.flows(node)).map((line) => /src=(\S+)/.exec(line)?.[1]).sort();

describe.each([{ snat: true }, { snat: false }])('with SNAT $snat', ({ snat }) => {
  it('lets nothing through, and keeps no state of it, while it owns nothing', async () => {
    await load(snat, { fw1: [], fw2: [] });
    const replies = await site.ask();
    expect(Object.values(replies).flat()).toEqual([]);
    expect(await site.flows('fw1')).toEqual([]);
    expect(await site.flows('fw2')).toEqual([]);
  });

  it('has each flow filtered by its owner, in ports of its bucket', async () => {
    await load(snat, { fw1: FIRST, fw2: SECOND });
    const replies = await site.ask();
    for (const source of CLIENTS) {
      const { address, port } = seenOnce(replies[source]);
      if (snat) {
        const { first, last } = portRange(Math.floor(bucketOf(source) / 2), BUCKETS);
        expect(address).toBe(SHARED.outside);
        expect(port).toBeGreaterThanOrEqual(first);
        expect(port).toBeLessThanOrEqual(last);
      } else {
        expect({ address, port }).toEqual({ address: source, port: 40000 });
      }
    }
    expect(await sources('fw1')).toEqual([...fw1].sort());
    expect(await sources('fw2')).toEqual([...fw2].sort());
  });

  it('answers pings with the same id from every address', async () => {
    await load(snat, { fw1: FIRST, fw2: SECOND });
    expect(await site.pingable(SERVER, CLIENTS, ['-e', '7'])).toEqual(CLIENTS);
    expect(await site.flows('fw1')).toHaveLength(fw1.length);
    expect(await site.flows('fw2')).toHaveLength(fw2.length);
  });

  it('takes an ICMP error to the owner of the flow that it is about', async () => {
    await load(snat, { fw1: FIRST, fw2: SECOND });
    const replies = await site.ask({ port: 7001 });
    expect(CLIENTS.filter((source) => replies[source]?.includes('ECONNREFUSED'))).toEqual(CLIENTS);
  });

  it('puts fragments together before it sorts them', async () => {
    await load(snat, { fw1: FIRST, fw2: SECOND });
    const replies = await site.ask({ size: 3000 });
    for (const source of CLIENTS) seenOnce(replies[source]);
  });

  it.each([
    { fw1: 'nftables', fw2: 'xtables' },
    { fw1: 'xtables', fw2: 'nftables' },
  ] as const)('shares the buckets with a node of the other kind: fw1 $fw1, fw2 $fw2', async (firewalls) => {
    await load(snat, { fw1: FIRST, fw2: SECOND }, firewalls);
    const replies = await site.ask();
    for (const source of CLIENTS) seenOnce(replies[source]);
    expect(await sources('fw1')).toEqual([...fw1].sort());
    expect(await sources('fw2')).toEqual([...fw2].sort());
  });
});
