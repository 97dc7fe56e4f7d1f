import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../lab/rig/wait.ts';
import { expectAnswers } from './rig/asking.ts';
import { crossingConfig } from './rig/config.ts';
import { addressOf, bucketOfText, Crossing, ECHO, SERVER, SHARED, sourcesOf } from './rig/crossing.ts';

const SIDES = ['lan', 'dmz', 'wan'] as const;
const FAMILIES = ['ip', 'ip6'] as const;
/** A port of a service of the firewall, such as a name server. */
const SERVICE = 53;

let crossing: Crossing;
const shared = SIDES.flatMap((side) => FAMILIES.map((family) => addressOf(side, family, SHARED)));
const own = (id: number) =>
  SIDES.flatMap((side) => FAMILIES.map((family) => addressOf(side, family, 250 + id)));

beforeAll(async () => {
  crossing = await Crossing.build();
  await crossing.load(crossingConfig({ snat: true }));
  await crossing.listen('fw1', SERVICE, [...shared, ...own(1)]);
  await crossing.listen('fw2', SERVICE, [...shared, ...own(2)]);
}, 60_000);
afterAll(() => crossing?.remove());

const ask = (from: (typeof SIDES)[number], protocol: 'udp' | 'tcp', to: string) => {
  const sources = sourcesOf(from, to.includes(':') ? 'ip6' : 'ip');
  return crossing.ask(from, { protocol, sources, to, port: SERVICE });
};

/** Of the sources, those of which a node has a flow to its service. */
const served = async (node: 'fw1' | 'fw2', sources: readonly string[]): Promise<readonly string[]> => {
  const family = sources[0]?.includes(':') ? 'ipv6' : 'ipv4';
  const words = ['conntrack', '-L', '-f', family, '-p', 'udp', '--dport', String(SERVICE)];
  const text = await crossing.nodes[node].run(words);
  return sources.filter((source) => text.includes(`src=${source} `));
};

describe.each(SIDES)('from %s', (from) => {
  it.each(FAMILIES)(
    'the owner of the client, and nobody else, serves on a shared address, %s',
    async (family) => {
      for (const node of Object.values(crossing.nodes)) await node.run(['conntrack', '-F']);
      for (const protocol of ['udp', 'tcp'] as const) {
        expectAnswers(protocol, await ask(from, protocol, addressOf(from, family, SHARED)));
      }
      expectAnswers(
        'icmp',
        await crossing.ping(from, addressOf(from, family, SHARED), sourcesOf(from, family)),
      );
      const sources = sourcesOf(from, family);
      const lower = sources.filter((source) => bucketOfText(source) < 32);
      expect(await served('fw1', sources)).toEqual(lower);
      expect(await served('fw2', sources)).toEqual(sources.filter((source) => !lower.includes(source)));
    },
  );

  it.each(FAMILIES)('each firewall is reached at its own address, %s', async (family) => {
    for (const id of [1, 2]) {
      const address = addressOf(from, family, 250 + id);
      for (const protocol of ['udp', 'tcp'] as const)
        expectAnswers(protocol, await ask(from, protocol, address));
      expectAnswers('icmp', await crossing.ping(from, address, sourcesOf(from, family)));
    }
  });
});

it.each(FAMILIES)('a firewall asks others from its own address, %s', async (family) => {
  for (const id of [1, 2] as const) {
    for (const side of SIDES) {
      const question = { sources: [addressOf(side, family, 250 + id)], sourcePort: 0, port: ECHO, size: 1 };
      for (const protocol of ['udp', 'tcp'] as const) {
        const to = addressOf(side, family, SERVER);
        expectAnswers(protocol, await crossing.askFrom(`fw${id}`, { ...question, protocol, to }));
      }
    }
  }
});

it.each(FAMILIES)('an address that a firewall gets later is its own for routers too, %s', async (family) => {
  const { fw1, fw2 } = crossing.nodes;
  // Else the owner of the client would forward to it.
  await fw2.ip(['link set eth4 down']);
  const foreign = sourcesOf('lan', family).filter((source) => bucketOfText(source) >= 32);
  const late = addressOf('dmz', family, 240);
  const answers = async () => Object.values(await crossing.ping('lan', late, foreign)).flat().length;
  const known = () => fw1.run(['nft', 'list', 'set', 'netdev', 'conntrack_ha', `elsewhere_${family}`]);
  expect(await answers()).toBe(0);
  expect(await known()).toContain(`${late} `);
  await fw1.ip([
    `address add ${late}/${family === 'ip' ? 24 : 64} dev eth4 ${family === 'ip' ? '' : 'nodad'}`,
  ]);
  // Longer than it is remembered that it isn't.
  await until('all answers', answers, 12_000, (count) => count === 3 * foreign.length);
  expect(await known()).not.toContain(`${late} `);
  await fw2.ip(['link set eth4 up']);
});
