import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portRange } from '../../src/cluster/ranges.ts';
import { clusterConfig, SHARED } from './dataplane/cluster-config.ts';
import { bucketOf, CLIENTS, halves, LOWER, SERVER, Site, UPPER } from './dataplane/site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.build();
}, 60_000);
afterAll(() => site?.remove());

const { fw1, fw2 } = halves();

/** Source address and port that the server saw, from `0 192.168.1.5 1024`; each datagram answered once and no more. */
const seenOnce = (replies: readonly string[] | undefined): { address: string; port: number } => {
  const lines = (replies ?? []).map((reply) => reply.split(' '));
  expect(lines.map(([number]) => number).sort()).toEqual(['0', '1', '2']);
  expect(new Set(lines.map(([, address, port]) => `${address} ${port}`)).size).toBe(1);
  return { address: lines[0]?.[1] ?? '', port: Number(lines[0]?.[2]) };
};

const load = async (snat: boolean, owned: { fw1: readonly number[]; fw2: readonly number[] }) => {
  const config = clusterConfig({ snat });
  await Promise.all([
    site.load('fw1', config, { owned: owned.fw1 }),
    site.load('fw2', config, { owned: owned.fw2 }),
  ]);
  await Promise.all([site.fw1.run(['conntrack', '-F']), site.fw2.run(['conntrack', '-F'])]);
};

describe.each([{ snat: true }, { snat: false }])('with SNAT $snat', ({ snat }) => {
  it('lets nothing through, nor conntrack see anything, while it owns nothing', async () => {
    await load(snat, { fw1: [], fw2: [] });
    const replies = await site.ask();
    expect(Object.values(replies).flat()).toEqual([]);
    expect(await site.flows('fw1')).toEqual([]);
    expect(await site.flows('fw2')).toEqual([]);
  });

  it('has each flow filtered by its owner, and conntrack of the other not know it', async () => {
    await load(snat, { fw1: LOWER, fw2: UPPER });
    const replies = await site.ask();
    for (const source of CLIENTS) {
      const { address, port } = seenOnce(replies[source]);
      if (snat) {
        const { first, last } = portRange(bucketOf(source), 64);
        expect(address).toBe(SHARED.outside);
        expect(port).toBeGreaterThanOrEqual(first);
        expect(port).toBeLessThanOrEqual(last);
      } else {
        expect({ address, port }).toEqual({ address: source, port: 40000 });
      }
    }
    const sources = async (node: 'fw1' | 'fw2') =>
      (await site.flows(node)).map((line) => /src=(\S+)/.exec(line)?.[1]).sort();
    expect(await sources('fw1')).toEqual([...fw1].sort());
    expect(await sources('fw2')).toEqual([...fw2].sort());
  });

  it('lets only the owned half through when the other node is closed', async () => {
    await load(snat, { fw1: LOWER, fw2: [] });
    const replies = await site.ask();
    expect(CLIENTS.filter((source) => (replies[source] ?? []).length > 0)).toEqual(fw1);
    expect(await site.flows('fw2')).toEqual([]);
  });

  it('answers pings with the same id from every address', async () => {
    await load(snat, { fw1: LOWER, fw2: UPPER });
    expect(await site.pingable(SERVER, CLIENTS, ['-e', '7'])).toEqual(CLIENTS);
    expect(await site.flows('fw1')).toHaveLength(fw1.length);
    expect(await site.flows('fw2')).toHaveLength(fw2.length);
  });

  it('takes an ICMP error to the owner of the flow that it is about', async () => {
    await load(snat, { fw1: LOWER, fw2: UPPER });
    const replies = await site.ask({ port: 7001 });
    expect(CLIENTS.filter((source) => replies[source]?.includes('ECONNREFUSED'))).toEqual(CLIENTS);
  });
});
