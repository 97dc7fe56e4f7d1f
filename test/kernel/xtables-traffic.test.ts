import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portRange } from '../../src/cluster/ranges.ts';
import type { ClusterConfig } from '../../src/config/types.ts';
import { clusterConfig, SHARED } from './dataplane/cluster-config.ts';
import { bucketOf, CLIENTS, halves, LOWER, SERVER, Site } from './dataplane/site.ts';
import { useLegacy } from './dataplane/variant.ts';

/** fw1 has the iptables that is installed by default, iptables-nft; fw2 has iptables-legacy. */
let site: Site;
beforeAll(async () => {
  site = await Site.build();
  await useLegacy(site.fw2);
  await site.server.ip(OUTSIDE.map((address) => `address add ${address}/24 dev eth0`));
  await site.client.spawn('service', site.echo(7000));
}, 60_000);
afterAll(() => site?.remove());

/** The lower half of 32 buckets holds the same addresses as that of 64. */
const { fw1, fw2 } = halves();
const FIRST = LOWER.filter((bucket) => bucket < 16);
const SECOND = LOWER.filter((bucket) => bucket >= 16);
const BUCKETS = 32;

/** A server inside, and clients outside. */
const SERVICE = CLIENTS[0] ?? '';
const OUTSIDE: readonly string[] = Array.from({ length: 8 }, (_, index) => `192.168.1.${20 + index}`);

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
  {
    firewalls = { fw1: 'xtables', fw2: 'xtables' },
    publish = [],
  }: {
    firewalls?: Readonly<Record<Node, 'nftables' | 'xtables'>>;
    publish?: ClusterConfig['publish'];
  } = {},
) => {
  const config = { ...clusterConfig({ snat, firewall: 'xtables' }), publish };
  const one = (node: Node) =>
    site.load(node, { ...config, firewall: firewalls[node] }, { owned: owned[node] });
  await Promise.all([one('fw1'), one('fw2')]);
  await Promise.all([site.fw1.run(['conntrack', '-F']), site.fw2.run(['conntrack', '-F'])]);
};

const PUBLISHED: ClusterConfig['publish'] = [
  {
    name: 'echo',
    protocol: 'udp',
    address: SHARED.outside,
    ports: { first: 443, last: 443 },
    to: SERVICE,
    toPorts: { first: 7000, last: 7000 },
  },
];

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
    await load(snat, { fw1: FIRST, fw2: SECOND }, { firewalls });
    const replies = await site.ask();
    for (const source of CLIENTS) seenOnce(replies[source]);
    expect(await sources('fw1')).toEqual([...fw1].sort());
    expect(await sources('fw2')).toEqual([...fw2].sort());
  });
});

describe('from outside', () => {
  const asked = (to: string, port: number) =>
    site.ask({ sources: OUTSIDE, to, port, sourcePort: 41000 }, site.server);
  const both = { fw1: FIRST, fw2: SECOND };

  it.each([
    { fw1: 'xtables', fw2: 'xtables' },
    { fw1: 'nftables', fw2: 'xtables' },
  ] as const)(
    'a published service is reached by the bucket of the client: fw1 $fw1, fw2 $fw2',
    async (firewalls) => {
      await load(true, both, { publish: PUBLISHED, firewalls });
      const replies = await asked(SHARED.outside, 443);
      for (const source of OUTSIDE)
        expect(seenOnce(replies[source])).toEqual({ address: source, port: 41000 });
      const { fw1: first, fw2: second } = halves(OUTSIDE);
      expect(Math.min(first.length, second.length)).toBeGreaterThan(0);
      expect(await sources('fw1')).toEqual([...first].sort());
      expect(await sources('fw2')).toEqual([...second].sort());
    },
  );

  it('nothing else begins: neither inside, nor at a port of SNAT', async () => {
    await load(true, both);
    for (const [to, port] of [
      [SERVICE, 7000],
      [SHARED.outside, 1024],
      [SHARED.outside, 65535],
    ] as const) {
      expect(Object.values(await asked(to, port)).flat()).toEqual([]);
    }
    expect([...(await site.flows('fw1')), ...(await site.flows('fw2'))]).toEqual([]);
  });

  it('each node answers pings to the shared address by the bucket of who asks', async () => {
    await load(true, both);
    const ping = (source: string) =>
      site.server.run(['ping', '-q', '-c', '2', '-i', '0.2', '-W', '1', '-I', source, SHARED.outside]);
    const answers = await Promise.all(OUTSIDE.map(ping));
    expect(answers.map((text) => /(\d+) received(.*?),/.exec(text)?.slice(1, 3))).toEqual(
      OUTSIDE.map(() => ['2', '']),
    );
  });
});

describe('a client beside the server of a published service', () => {
  it.each([
    { fw1: 'xtables', fw2: 'xtables' },
    { fw1: 'nftables', fw2: 'xtables' },
  ] as const)(
    'reaches it, seen as a shared address in ports of its bucket: fw1 $fw1, fw2 $fw2',
    async (firewalls) => {
      await load(true, { fw1: FIRST, fw2: SECOND }, { publish: PUBLISHED, firewalls });
      const clients = CLIENTS.filter((client) => client !== SERVICE);
      const replies = await site.ask({ sources: clients, to: SHARED.outside, port: 443 });
      for (const source of clients) {
        const { address, port } = seenOnce(replies[source]);
        const { first, last } = portRange(Math.floor(bucketOf(source) / 2), BUCKETS);
        expect(address).toBe(SHARED.inside);
        expect(port).toBeGreaterThanOrEqual(first);
        expect(port).toBeLessThanOrEqual(last);
      }
    },
  );
});

it('carries nothing when another program has flushed the rules', async () => {
  await load(true, { fw1: FIRST, fw2: SECOND });
  for (const machine of [site.fw1, site.fw2]) await machine.run(['iptables', '-t', 'mangle', '-F']);
  expect(Object.values(await site.ask()).flat()).toEqual([]);
});

it("a node's own address is reached whatever is owned", async () => {
  await load(true, { fw1: [], fw2: [] });
  expect(await site.pingable('192.168.0.251', CLIENTS)).toEqual(CLIENTS);
});

it('a protocol without ports is not let through where it can not be translated', async () => {
  await load(true, { fw1: FIRST, fw2: SECOND });
  const send =
    'socket(S,2,3,47); bind(S,pack("Sna4x8",2,0,pack("C4",split/\\./,$ARGV[0]))); send(S,"x"x8,0,pack("Sna4x8",2,0,pack("C4",split/\\./,$ARGV[1])))';
  await site.client.run(['perl', '-e', send, CLIENTS[1] ?? '', SERVER]);
  const { packets } = await dropped();
  expect(packets).toBeGreaterThan(0);
  expect([...(await site.flows('fw1')), ...(await site.flows('fw2'))]).toEqual([]);
});

/** What both nodes have dropped of it. */
const dropped = async (): Promise<{ packets: number }> => {
  const listings = await Promise.all(
    [site.fw1, site.fw2].map((machine) =>
      machine.run(['iptables', '-t', 'mangle', '-nvxL', 'CONNTRACK-HA-FORWARD']),
    ),
  );
  const counts = listings.map((text) => Number(/^ *(\d+) .*without ports/m.exec(text)?.[1]));
  return { packets: counts.reduce((sum, count) => sum + count, 0) };
};
