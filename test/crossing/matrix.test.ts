import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../lab/rig/wait.ts';
import { askKind, expectAnswers, hostPorts, KINDS, type Target } from './rig/asking.ts';
import { crossingConfig, type Delivery, macOf, PUBLISHED } from './rig/config.ts';
import { addressOf, Crossing, type Family, SERVER, SHARED } from './rig/crossing.ts';
import { countPackets, tally } from './rig/sent.ts';

let crossing: Crossing;
beforeAll(async () => {
  crossing = await Crossing.build();
}, 60_000);
afterAll(() => crossing?.remove());

/** `plain`, `snat`: from the LAN to the WAN's host; `dnat`: from the WAN to the address that the DMZ is published on. */
type Translation = 'plain' | 'snat' | 'dnat';

const targetOf = (translation: Translation, family: Family): Target =>
  translation === 'dnat'
    ? { address: addressOf('wan', family, SHARED), open: PUBLISHED.echo, closed: PUBLISHED.closed }
    : { address: addressOf('wan', family, SERVER), ...hostPorts };

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
    const from = translation === 'dnat' ? 'wan' : 'lan';
    expectAnswers(kind, await askKind(crossing, kind, from, targetOf(translation, family)));
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
