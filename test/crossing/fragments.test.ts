import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from '../lab/rig/machine.ts';
import { until } from '../lab/rig/wait.ts';
import { crossingConfig, macOf, PUBLISHED } from './rig/config.ts';
import { addressOf, Crossing, ECHO, type Family, SERVER, SHARED, sourcesOf } from './rig/crossing.ts';
import { type End, ORDERS, PAYLOAD, sendFragments } from './rig/fragments.ts';
import { removeRules } from './rig/removed-rules.ts';

let crossing: Crossing;
beforeAll(async () => {
  crossing = await Crossing.build();
}, 60_000);
afterAll(() => crossing?.remove());

const FAMILIES = ['ip', 'ip6'] as const;
const PORT = 41_000;

/** Large datagrams that have come to a host, put together. */
const hearing = async (host: Machine): Promise<() => Promise<number>> => {
  const input = `
table inet heard {}
delete table inet heard
table inet heard {
  chain in {
    type filter hook input priority 0; policy accept;
    udp length ${PAYLOAD + 8} counter drop
  }
}
`;
  await host.run(['nft', '-f', '-'], { input });
  return async () =>
    Number(/packets (\d+)/.exec(await host.run(['nft', 'list', 'chain', 'inet', 'heard', 'in']))?.[1]);
};

/** Where the server sees a source of the LAN after a first question. */
const seenAs = async (source: string, family: Family): Promise<End> => {
  const to = addressOf('wan', family, SERVER);
  const question = { protocol: 'udp', sources: [source], sourcePort: PORT, to, port: ECHO } as const;
  const [, address = '', port = ''] = (await crossing.ask('lan', question))[source]?.[0]?.split(' ') ?? [];
  return { address, port: Number(port) };
};

/** Has the server answer each source of the LAN in fragments. Returns how many answers came. */
const answerInFragments = async (family: Family): Promise<() => Promise<number>> => {
  const heard = await hearing(crossing.hosts.lan);
  const server = { address: addressOf('wan', family, SERVER), port: ECHO };
  for (const source of sourcesOf('lan', family)) {
    const seen = await seenAs(source, family);
    for (const order of ORDERS) {
      await sendFragments(crossing.hosts.wan, macOf('wan', 'multicast'), server, seen, order);
    }
  }
  return heard;
};

/** No more comes than is expected, and that much comes. */
const expectHeard = async (heard: () => Promise<number>, count: number) => {
  await until('the datagrams', heard, 2000, (found) => found >= count);
  expect(await heard()).toBe(count);
};

describe.each([{ snat: false }, { snat: true }])('with SNAT $snat', ({ snat }) => {
  beforeAll(() => crossing.load(crossingConfig({ snat })), 30_000);

  it.each(FAMILIES)('fragments of answers find the owner in any order, %s', async (family) => {
    await expectHeard(await answerInFragments(family), 18);
  });

  it.each(FAMILIES)('fragments of questions find it too, %s', async (family) => {
    const heard = await hearing(crossing.hosts.wan);
    const server = { address: addressOf('wan', family, SERVER), port: ECHO };
    for (const address of sourcesOf('lan', family)) {
      for (const order of ORDERS) {
        await sendFragments(
          crossing.hosts.lan,
          macOf('lan', 'multicast'),
          { address, port: PORT },
          server,
          order,
        );
      }
    }
    await expectHeard(heard, 18);
  });
});

it.each(FAMILIES)('fragments to a published service find the owner of the client, %s', async (family) => {
  await crossing.load(crossingConfig({ snat: true }));
  const heard = await hearing(crossing.hosts.dmz);
  const published = { address: addressOf('wan', family, SHARED), port: PUBLISHED.echo };
  for (const address of sourcesOf('wan', family)) {
    for (const order of ORDERS) {
      const from = { address, port: PORT };
      await sendFragments(crossing.hosts.wan, macOf('wan', 'multicast'), from, published, order);
    }
  }
  await expectHeard(heard, 18);
});

it.each(FAMILIES)('were they sorted as they come in, some would be lost, %s', async (family) => {
  await crossing.load(crossingConfig({ snat: true }));
  await removeRules(crossing, 'goto undecided');
  const heard = await answerInFragments(family);
  await expect(expectHeard(heard, 18)).rejects.toThrow('the datagrams');
});
