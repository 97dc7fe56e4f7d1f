import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portRange } from '../../src/cluster/ranges.ts';
import { LOWER, UPPER } from '../kernel/dataplane/site.ts';
import { askKind, expectAnswers, hostPorts, KINDS } from './rig/asking.ts';
import { crossingConfig, PUBLISHED } from './rig/config.ts';
import {
  addressOf,
  bucketOfText,
  Crossing,
  ECHO,
  type Owned,
  SERVER,
  SHARED,
  type Side,
  sourcesOf,
} from './rig/crossing.ts';

let crossing: Crossing;
beforeAll(async () => {
  crossing = await Crossing.build();
}, 60_000);
afterAll(() => crossing?.remove());

const SIDES = ['lan', 'dmz', 'wan'] as const;
const FAMILIES = ['ip', 'ip6'] as const;

/** How many packets a rule of the firewalls with this comment has dropped. */
const dropped = async (comment: string): Promise<number> => {
  const lists = Object.values(crossing.nodes).map((node) =>
    node.run(['nft', 'list', 'table', 'netdev', 'conntrack_ha']),
  );
  const pattern = new RegExp(`packets (\\d+) bytes \\d+ drop comment "${comment}`, 'g');
  const found = (await Promise.all(lists)).flatMap((text) => [...text.matchAll(pattern)]);
  return found.reduce((sum, [, packets]) => sum + Number(packets), 0);
};

/** The original sources of a node's flows. */
const sourcesAt = async (node: 'fw1' | 'fw2', family: 'ip' | 'ip6'): Promise<readonly string[]> => {
  const words = ['conntrack', '-L', '-f', family === 'ip' ? 'ipv4' : 'ipv6'];
  const lines = (await crossing.nodes[node].run(words)).split('\n');
  return lines.flatMap((line) => /src=(\S+)/.exec(line)?.[1] ?? []);
};

// What is published has more packets looked at before they are hashed.
const CONFIGURED = [true, false].flatMap((publish) => [true, false].map((snat) => ({ snat, publish })));

describe.each(CONFIGURED)('with SNAT $snat, services published: $publish', ({ snat, publish }) => {
  beforeAll(() => crossing.load(crossingConfig({ snat, publish })), 30_000);

  const directions = SIDES.flatMap((from) => SIDES.flatMap((to) => (from === to ? [] : [{ from, to }])));
  // Behind SNAT no one outside knows the addresses inside.
  it.each(directions.filter(({ from }) => from !== 'wan' || !snat))(
    'what $from asks of $to is answered once',
    async ({ from, to }) => {
      for (const family of FAMILIES) {
        const target = { address: addressOf(to, family, SERVER), ...hostPorts };
        const replies = await Promise.all(KINDS.map((kind) => askKind(crossing, kind, from, target)));
        for (const [index, kind] of KINDS.entries()) expectAnswers(kind, replies[index] ?? {});
      }
    },
  );
});

describe('what one node has dropped as another’s', () => {
  const all = { snat: false, publish: false };
  beforeAll(() => crossing.load(crossingConfig(all), { fw1: UPPER, fw2: LOWER }), 30_000);

  /** Has the nodes own these buckets from one moment on, their tables as they are. */
  const exchange = (owned: Owned) =>
    Promise.all(
      (['fw1', 'fw2'] as const).map((node) => {
        const elements = owned[node].map((bucket) => `0:${bucket.toString(16)}`).join(', ');
        const input = ['netdev', 'inet']
          .map((family) => `${family} conntrack_ha owned`)
          .map((set) => `flush set ${set}\nadd element ${set} { ${elements} }\n`)
          .join('');
        return crossing.nodes[node].run(['nft', '-f', '-'], { input });
      }),
    );

  it.each(FAMILIES)('it filters at once when it owns it, whoever asks whom, %s', async (family) => {
    const askAll = async () => {
      for (const from of SIDES) {
        for (const to of SIDES.filter((side) => side !== from)) {
          const target = { address: addressOf(to, family, SERVER), ...hostPorts };
          expectAnswers('udp', await askKind(crossing, 'udp', from, target));
        }
      }
    };
    await exchange({ fw1: UPPER, fw2: LOWER });
    await askAll();
    await exchange({ fw1: LOWER, fw2: UPPER });
    await askAll();
  });
});

describe('a published service', () => {
  beforeAll(() => crossing.load(crossingConfig({ snat: true })), 30_000);

  it.each(FAMILIES)("spreads over the nodes by its clients' addresses, %s", async (family) => {
    const sources = sourcesOf('wan', family);
    const address = addressOf('wan', family, SHARED);
    const replies = await crossing.ask('wan', {
      protocol: 'udp',
      sources,
      to: address,
      port: PUBLISHED.echo,
    });
    expectAnswers('udp', replies);
    const [one, other] = [await sourcesAt('fw1', family), await sourcesAt('fw2', family)];
    const here = (list: readonly string[]) => sources.filter((source) => list.includes(source));
    expect([...here(one), ...here(other)].sort()).toEqual([...sources].sort());
    expect(here(one).length).toBeGreaterThan(0);
    expect(here(other).length).toBeGreaterThan(0);
  });

  it.each(FAMILIES)('is reached from another inside network by its own address, %s', async (family) => {
    const target = { address: addressOf('dmz', family, SERVER), ...hostPorts };
    for (const kind of ['udp', 'tcp', 'error'] as const) {
      expectAnswers(kind, await askKind(crossing, kind, 'lan', target));
    }
  });

  it.each(FAMILIES)(
    'does not keep its server from asking others, from its own port too, %s',
    async (family) => {
      const server = addressOf('dmz', family, SERVER);
      for (const to of ['wan', 'lan'] as const) {
        for (const sourcePort of [0, ECHO + 1]) {
          const replies = await crossing.ask('dmz', {
            protocol: 'udp',
            sources: [server],
            sourcePort,
            to: addressOf(to, family, SERVER),
            port: ECHO,
          });
          expectAnswers('udp', replies);
        }
      }
    },
  );
});

it('keeps the port of a client where it is one of its bucket, and stays among those', async () => {
  await crossing.load(crossingConfig({ snat: true }));
  const [source = ''] = sourcesOf('lan', 'ip');
  const asked = async (sourcePort: number): Promise<number> => {
    const question = { protocol: 'udp', sources: [source], sourcePort, port: ECHO } as const;
    const replies = await crossing.ask('lan', { ...question, to: addressOf('wan', 'ip', SERVER) });
    return Number(replies[source]?.[0]?.split(' ')[2]);
  };
  const { first, last } = portRange(bucketOfText(source), 64);
  expect(await asked(first + 7)).toBe(first + 7);
  const other = await asked(last + 2000 < 65_536 ? last + 2000 : first - 2000);
  expect(other).toBeGreaterThanOrEqual(first);
  expect(other).toBeLessThanOrEqual(last);
});

describe('what no two directions would agree on', () => {
  it('is dropped and counted between two hosts behind one interface', async () => {
    await crossing.load(crossingConfig());
    const lan = crossing.hosts.lan;
    const [source = ''] = sourcesOf('lan', 'ip');
    await lan.ip([`route add 192.168.0.99/32 via ${addressOf('lan', 'ip', SHARED)}`]);
    const before = await dropped('comes in and leaves by one interface');
    await crossing.ping('lan', '192.168.0.99', [source]);
    expect(await dropped('comes in and leaves by one interface')).toBe(before + 6);
    await lan.ip([`route del 192.168.0.99/32 via ${addressOf('lan', 'ip', SHARED)}`]);
  });

  it('is dropped and counted between two interfaces with the rest of the world behind them', async () => {
    const config = crossingConfig();
    const twoUplinks = {
      ...config,
      publish: [],
      interfaces: config.interfaces.map((one) =>
        one.name === 'eth4' ? { ...one, side: 'outside' as const, networks: [] } : one,
      ),
    };
    await crossing.load(twoUplinks);
    const target = (side: Side['name']) => ({ address: addressOf(side, 'ip', SERVER), ...hostPorts });
    for (const uplink of ['dmz', 'wan'] as const) {
      expectAnswers('udp', await askKind(crossing, 'udp', 'lan', target(uplink)));
      expectAnswers('udp', await askKind(crossing, 'udp', uplink, target('lan')));
    }
    const before = await dropped('between two interfaces without networks');
    const sources = sourcesOf('wan', 'ip');
    await crossing.ping('wan', target('dmz').address, sources);
    // Both nodes drop each of three from six.
    expect(await dropped('between two interfaces without networks')).toBe(before + 36);
  });
});
