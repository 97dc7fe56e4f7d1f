import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portRange } from '../../src/cluster/ranges.ts';
import type { PublishedService } from '../../src/config/types.ts';
import { askKind, expectAnswers, type Kind } from './rig/asking.ts';
import { crossingConfig, macOf } from './rig/config.ts';
import {
  addressOf,
  bucketOfText,
  Crossing,
  ECHO,
  type Family,
  SERVER,
  SHARED,
  type Side,
  sourcesOf,
} from './rig/crossing.ts';
import { countPackets, tally } from './rig/sent.ts';

let crossing: Crossing;
beforeAll(async () => {
  crossing = await Crossing.build();
}, 60_000);
afterAll(() => crossing?.remove());

const FAMILIES = ['ip', 'ip6'] as const;
/** The LAN's own echo, published at the WAN's shared address and at the LAN's: clients beside it and elsewhere reach it by either. */
const PUBLISHED = { open: 710, closed: 711 } as const;
const ADDRESSES = ['wan', 'lan'] as const;

const published = (at: 'wan' | 'lan', family: Family): readonly PublishedService[] =>
  (['tcp', 'udp'] as const).flatMap((protocol) =>
    (['open', 'closed'] as const).map((name) => {
      // No port of a server is in two services.
      const port = (name === 'open' ? ECHO : ECHO + 1) + (at === 'lan' ? 10 : 0);
      return {
        name: `${name}-${at}-${protocol}-${family}`,
        protocol,
        address: addressOf(at, family, SHARED),
        ports: { first: PUBLISHED[name], last: PUBLISHED[name] },
        to: addressOf('lan', family, SERVER),
        toPorts: { first: port, last: port },
      };
    }),
  );

const config = ({ snat }: { readonly snat: boolean }) => ({
  ...crossingConfig({ snat }),
  publish: ADDRESSES.flatMap((at) => FAMILIES.flatMap((family) => published(at, family))),
});

const KINDS: readonly Kind[] = ['udp', 'tcp', 'fragments', 'error'];
const target = (at: 'wan' | 'lan', family: Family) => ({
  address: addressOf(at, family, SHARED),
  ...PUBLISHED,
});
const machines = () => [Object.values(crossing.hosts), Object.values(crossing.nodes)] as const;

describe.each([{ snat: true }, { snat: false }])('with SNAT $snat', ({ snat }) => {
  beforeAll(async () => {
    const { lan } = crossing.hosts;
    for (const family of FAMILIES) {
      const line = crossing.programLine('echo-program', [
        String(ECHO + 10),
        addressOf('lan', family, SERVER),
      ]);
      if (snat) await lan.spawn(`echo-${family}`, line);
    }
    await crossing.load(config({ snat }));
    const macs = (['lan', 'dmz', 'wan'] as const).map((side) => macOf(side, 'multicast'));
    await countPackets(...machines(), macs);
  }, 30_000);

  // Without SNAT elsewhere there is less that could be mistaken for an answer to them.
  const cells = (snat ? ADDRESSES : ['wan' as const]).flatMap((at) =>
    FAMILIES.flatMap((family) => (snat ? KINDS : ['udp' as const]).map((kind) => ({ at, family, kind }))),
  );

  it.each(cells)(
    'a client beside the server reaches it, published at the address of $at, $family $kind',
    async ({ at, family, kind }) => {
      const before = await tally(...machines());
      expectAnswers(kind, await askKind(crossing, kind, 'lan', target(at, family)));
      const after = await tally(...machines());
      // Each packet was let in by one node.
      if (kind === 'udp') expect(after.taken - before.taken).toBe(after.sent - before.sent);
    },
  );

  it.each(FAMILIES)('the server sees no client, but ports of its bucket, %s', async (family) => {
    const sources = sourcesOf('lan', family);
    const question = { protocol: 'udp', sources, port: PUBLISHED.open } as const;
    const replies = await crossing.ask('lan', { ...question, to: addressOf('wan', family, SHARED) });
    for (const source of sources) {
      const [, seen, port] = replies[source]?.[0]?.split(' ') ?? [];
      const { first, last } = portRange(bucketOfText(source), 64);
      expect(seen).toBe(addressOf('lan', family, SHARED));
      expect(Number(port)).toBeGreaterThanOrEqual(first);
      expect(Number(port)).toBeLessThanOrEqual(last);
    }
  });

  it.each(FAMILIES)('clients elsewhere are seen by the server as they are, %s', async (family) => {
    const elsewhere: readonly Side['name'][] = ['dmz', 'wan'];
    for (const from of elsewhere) {
      const sources = sourcesOf(from, family);
      const question = { protocol: 'udp', sources, port: PUBLISHED.open } as const;
      const replies = await crossing.ask(from, { ...question, to: addressOf('wan', family, SHARED) });
      for (const source of sources) {
        expect(replies[source]?.map((text) => text.split(' ')[1])).toEqual([source, source, source]);
      }
    }
  });
});
