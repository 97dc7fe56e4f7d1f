import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askKind, expectAnswers, hostPorts, KINDS } from '../../crossing/rig/asking.ts';
import { crossingConfig, PUBLISHED } from '../../crossing/rig/config.ts';
import { addressOf, bucketOfText, Crossing, SERVER, SHARED, sourcesOf } from '../../crossing/rig/crossing.ts';
import { plugBonds, plugBridges, plugVlans } from './plugs.ts';

const config = crossingConfig({ snat: true });
const BUCKETS = Array.from({ length: config.buckets }, (_, bucket) => bucket);
/** So that there are clients of both nodes, of both families. */
const OWNED = {
  fw1: BUCKETS.filter((bucket) => bucket % 2 === 0),
  fw2: BUCKETS.filter((bucket) => bucket % 2 === 1),
};
const FAMILIES = ['ip', 'ip6'] as const;
const cells = FAMILIES.flatMap((family) => KINDS.map((kind) => ({ family, kind })));

describe.each([
  { legs: 'VLANs on one trunk', plug: plugVlans, modules: ['8021q'] },
  { legs: 'bonds', plug: plugBonds, modules: ['bonding'] },
  { legs: 'bridges', plug: plugBridges, modules: ['bridge'] },
  { legs: 'bridges whose frames iptables sees', plug: plugBridges, modules: ['bridge', 'br_netfilter'] },
])('$legs', ({ plug, modules }) => {
  let crossing: Crossing;
  beforeAll(async () => {
    // A kernel that has them built in has no modprobe, maybe.
    await execa('modprobe', ['-a', ...modules], { reject: false });
    crossing = await Crossing.build(plug);
    await crossing.load(config, OWNED);
  }, 60_000);
  afterAll(() => crossing?.remove());

  it.each(cells)('$family $kind: one answer to each question', async ({ family, kind }) => {
    const server = { address: addressOf('wan', family, SERVER), ...hostPorts };
    expectAnswers(kind, await askKind(crossing, kind, 'lan', server));
    const published = {
      address: addressOf('wan', family, SHARED),
      open: PUBLISHED.echo,
      closed: PUBLISHED.closed,
    };
    expectAnswers(kind, await askKind(crossing, kind, 'wan', published));
  });

  it.each(FAMILIES)('%s: each node has states of its own buckets only', async (family) => {
    for (const node of ['fw1', 'fw2'] as const) {
      const sources = await trackedSources(crossing, node, family);
      expect(sources.length).toBeGreaterThan(0);
      expect(sources.filter((source) => !OWNED[node].includes(bucketOfText(source)))).toEqual([]);
    }
  });

  it('another node’s packets leave the states alone that a replica holds', async () => {
    const [source = ''] = sourcesOf('lan', 'ip').filter((address) =>
      OWNED.fw1.includes(bucketOfText(address)),
    );
    const server = addressOf('wan', 'ip', SERVER);
    const state = `-p udp -s ${source} -d ${server} --sport 4000 --dport ${hostPorts.open}`.split(' ');
    const replica = crossing.nodes.fw2;
    await replica.run(['conntrack', '-I', ...state, '-t', '600']);
    const question = {
      protocol: 'udp',
      sources: [source],
      to: server,
      port: hostPorts.open,
      sourcePort: 4000,
    } as const;
    const { [source]: answers } = await crossing.ask('lan', question);
    // With the source that the server has seen.
    const translated = expect.stringContaining(` ${addressOf('wan', 'ip', SHARED)} `);
    expect(answers).toEqual([translated, translated, translated]);
    const held = await replica.run(['conntrack', '-L', ...state]);
    // A packet that conntrack sees sets a UDP flow's time to 30 or 120 s.
    expect(Number(/^udp +17 (\d+) /m.exec(held)?.[1])).toBeGreaterThan(500);
    expect(held).toContain('[UNREPLIED]');
  });

  it('all that is owned by the other node after a takeover, it answers', async () => {
    await crossing.change('fw1', config, { add: [], remove: OWNED.fw1 });
    await crossing.change('fw2', config, { add: OWNED.fw1, remove: [] });
    for (const family of FAMILIES) {
      const server = { address: addressOf('wan', family, SERVER), ...hostPorts };
      expectAnswers('udp', await askKind(crossing, 'udp', 'lan', server));
    }
    await crossing.change('fw2', config, { add: [], remove: OWNED.fw1 });
    await crossing.change('fw1', config, { add: OWNED.fw1, remove: [] });
  });
});

/** Where the flows come from that a node's conntrack has between hosts. */
const trackedSources = async (
  crossing: Crossing,
  node: 'fw1' | 'fw2',
  family: (typeof FAMILIES)[number],
): Promise<readonly string[]> => {
  const list = ['conntrack', '-L', '-f', family === 'ip' ? 'ipv4' : 'ipv6'];
  const lines = (await crossing.nodes[node].run(list)).split('\n');
  const sources = lines.map((line) => / src=(\S+)/.exec(line)?.[1] ?? '');
  const inside = sourcesOf('lan', family);
  return sources.filter((source) => inside.some((address) => source === address));
};
