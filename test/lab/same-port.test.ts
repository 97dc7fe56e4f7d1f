import { expect, test } from 'vitest';
import { createLab } from './labs.ts';
import { planClient } from './rig/plan.ts';
import { Story } from './story.ts';
import type { FlowSpec } from './traffic/flow.ts';

/** The two firewalls translate into one address: what they choose for the same source port must differ. */
const samePort = (from: string, index: number): FlowSpec[] =>
  (['busy', 'udp'] as const).map((kind) => ({ id: `${clientOf(index)}.${kind}`, kind, from, port: 40_000 }));

const clientOf = (index: number): string => (index === 0 ? 'c1' : 'c2');

test('two clients have the same source port to the same server port, through a failover and back', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  // c1's first address has its home at fw1, c2's at fw2.
  const addresses = [1, 2].map((number) => planClient(number).addresses[0] ?? '');
  const story = await Story.begin(lab, 'keepalived', addresses.flatMap(samePort));
  await story.powerCut('fw1');
  await story.answered();
  await story.comeBack('fw1');
  await story.answered();
  const busyPorts = ['c1.busy', 'c2.busy'].flatMap((id) => story.traffic.flow(id).ports);
  expect(new Set(busyPorts).size).toBe(2);
  await story.expectAllWell();
});
