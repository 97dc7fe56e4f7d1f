import { expect, test } from 'vitest';
import { homeOf } from './flows.ts';
import { createLab } from './labs.ts';
import { planClient } from './rig/plan.ts';
import { Story } from './story.ts';

test('seven pingers with the same id are answered again after each transition', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const addresses = [...planClient(1).addresses.slice(0, 4), ...planClient(2).addresses.slice(0, 3)];
  expect(new Set(addresses.map((address) => homeOf(address)))).toEqual(new Set(['fw1', 'fw2']));
  const pingers = addresses.map((from, index) => ({
    id: `${index < 4 ? 'c1' : 'c2'}.ping${index}`,
    kind: 'ping' as const,
    from,
    icmpId: 1,
    intervalMs: 100,
  }));
  const story = await Story.begin(lab, 'none', pingers);
  for (const name of ['fw1', 'fw2'] as const) {
    await story.powerCut(name);
    await story.answered();
    await story.comeBack(name);
    await story.answered();
  }
  await story.expectAllWell();
});
