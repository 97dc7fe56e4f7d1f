import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../lab/rig/wait.ts';
import { crossingConfig, type Delivery, macOf, PUBLISHED } from './crossing/config.ts';
import { addressOf, Crossing, ECHO, type Family, SERVER, SHARED, sourcesOf } from './crossing/crossing.ts';
import { countPackets, tally } from './crossing/sent.ts';

let crossing: Crossing;
beforeAll(async () => {
  crossing = await Crossing.build();
}, 60_000);
afterAll(() => crossing?.remove());

const KINDS = ['udp', 'tcp', 'icmp', 'fragments', 'error'] as const;
type Kind = (typeof KINDS)[number];

/** `plain`, `snat`: from the LAN to the WAN's host; `dnat`: from the WAN to the address that the DMZ is published on. */
type Translation = 'plain' | 'snat' | 'dnat';

const ask = async (kind: Kind, family: Family, translation: Translation) => {
  const dnat = translation === 'dnat';
  const from = dnat ? 'wan' : 'lan';
  const sources = sourcesOf(from, family);
  const to = dnat ? addressOf('wan', family, SHARED) : addressOf('wan', family, SERVER);
  if (kind === 'icmp') return crossing.ping(from, to, sources);
  const protocol = kind === 'tcp' ? 'tcp' : 'udp';
  const open = kind !== 'error';
  const port = dnat ? PUBLISHED[open ? 'echo' : 'closed'] : open ? ECHO : ECHO + 1;
  return crossing.ask(from, { protocol, sources, to, port, size: kind === 'fragments' ? 3000 : 1 });
};

/** What each source has to get: an answer for each of its three questions and no more; of TCP they may come in one. */
const expectAnswers = (kind: Kind, replies: readonly string[] = []) => {
  if (kind === 'error') expect(new Set(replies)).toEqual(new Set(['ECONNREFUSED']));
  else if (kind === 'tcp')
    expect(
      replies
        .join(' ')
        .match(/\b[012]\b/g)
        ?.slice(0, 1),
    ).toEqual(['0']);
  else expect(replies).toHaveLength(3);
};

const cells = (['ip', 'ip6'] as const).flatMap((family) => KINDS.map((kind) => ({ family, kind })));

describe.each<{ delivery: Delivery; translation: Translation }>(
  (['multicast', 'stealth', 'igmp'] as const).flatMap((delivery) =>
    (['plain', 'snat', 'dnat'] as const).map((translation) => ({ delivery, translation })),
  ),
)('$delivery, $translation', ({ delivery, translation }) => {
  beforeAll(async () => {
    await crossing.load(crossingConfig({ delivery, snat: translation === 'snat' }));
    const macs = (['lan', 'dmz', 'wan'] as const).map((side) => macOf(side, delivery));
    await countPackets(Object.values(crossing.hosts), Object.values(crossing.nodes), macs);
  }, 30_000);
  afterAll(async () => {
    await crossing.unload(crossingConfig({ delivery, snat: translation === 'snat' }));
  });

  it.each(cells)('$family $kind: one owner for each packet', async ({ family, kind }) => {
    const machines = [Object.values(crossing.hosts), Object.values(crossing.nodes)] as const;
    const before = await tally(...machines);
    const replies = await ask(kind, family, translation);
    for (const source of sourcesOf(translation === 'dnat' ? 'wan' : 'lan', family)) {
      expectAnswers(kind, replies[source]);
    }
    const counted = async () => {
      const after = await tally(...machines);
      return {
        sent: after.sent - before.sent,
        taken: after.taken - before.taken,
        forwarded: after.forwarded - before.forwarded,
      };
    };
    // The last packets of a connection come after its program's end.
    const { sent } = await until('one owner for each packet', counted, 2000, ({ sent, taken, forwarded }) =>
      // Three questions from each of six sources, and their answers; what is in fragments both nodes let in.
      kind === 'fragments' ? forwarded === 36 : taken === sent,
    );
    expect(sent).toBeGreaterThanOrEqual(18);
  });
});
