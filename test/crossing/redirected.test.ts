import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askKind, expectAnswers, hostPorts } from './rig/asking.ts';
import { crossingConfig, macOf } from './rig/config.ts';
import { addressOf, Crossing, SERVER, SHARED } from './rig/crossing.ts';
import { countPackets, tally } from './rig/sent.ts';

/** What an administrator's tc takes off a leg and puts in again: behind the hook that sorts. */

let crossing: Crossing;
const nodes = () => Object.values(crossing.nodes);
const machines = () => [Object.values(crossing.hosts), nodes()] as const;
const FAMILIES = ['ip', 'ip6'] as const;

beforeAll(async () => {
  crossing = await Crossing.build();
  await crossing.load(crossingConfig());
  await countPackets(...machines(), [macOf('lan', 'multicast'), macOf('wan', 'multicast')]);
}, 60_000);
afterAll(() => crossing?.remove());

const redirect = async (): Promise<void> => {
  for (const node of nodes()) {
    await node.ip(['link add ifb0 type ifb', 'link set ifb0 up']);
    for (const words of [
      'qdisc add dev eth1 handle ffff: ingress',
      'filter add dev eth1 parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev ifb0',
    ]) {
      await node.run(['tc', ...words.split(' ')]);
    }
  }
};

const forwarded = async (): Promise<number> => (await tally(...machines())).forwarded;

/** How many packets both nodes have dropped as not sorted. */
const unsorted = async (): Promise<number> => {
  const texts = await Promise.all(
    nodes().map((node) => node.run(['nft', 'list', 'chain', 'inet', 'conntrack_ha', 'unsorted'])),
  );
  return texts
    .flatMap((text) => [...text.matchAll(/packets (\d+)/g)])
    .reduce((sum, [, packets]) => sum + Number(packets), 0);
};

describe('what comes in by way of an ifb', () => {
  const ask = (family: 'ip' | 'ip6') =>
    askKind(crossing, 'udp', 'lan', { address: addressOf('wan', family, SERVER), ...hostPorts });

  it.each(FAMILIES)('is answered without it, %s', async (family) => {
    expectAnswers('udp', await ask(family));
  });

  describe('with it', () => {
    beforeAll(redirect);

    it.each(FAMILIES)('is forwarded by neither node, to the shared MAC, %s', async (family) => {
      const before = await forwarded();
      expect(Object.values(await ask(family)).flat()).toEqual([]);
      expect(await forwarded()).toBe(before);
    });

    it.each(FAMILIES.flatMap((family) => ([1, 2] as const).map((id) => ({ family, id }))))(
      "is forwarded by neither node, to fw$id's own MAC, and counted, $family",
      async ({ family, id }) => {
        const { lan } = crossing.hosts;
        const neighbour = addressOf('lan', family, SHARED);
        await lan.ip([`neigh replace ${neighbour} lladdr 02:00:00:00:0${id}:01 nud permanent dev eth0`]);
        const [before, dropped] = [await forwarded(), await unsorted()];
        expect(Object.values(await ask(family)).flat()).toEqual([]);
        expect(await forwarded()).toBe(before);
        // Three of each of six.
        expect((await unsorted()) - dropped).toBeGreaterThanOrEqual(18);
      },
    );
  });
});
