import { expect, test } from 'vitest';
import { restartAgent } from './cluster.ts';
import { establishedFlows } from './flows.ts';
import { createLab } from './labs.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';

/** `replicas: cache`: the peer's states wait in conntrackd, and a takeover commits them first. */

test.each([
  { first: 'fw1', second: 'fw2', manager: 'keepalived', snat: true },
  { first: 'fw2', second: 'fw1', manager: 'none', snat: false },
] as const)(
  '$first dies and returns, then $second, manager $manager, snat $snat: no flow is lost',
  async ({ first, second, manager, snat }) => {
    const lab = await createLab({ cluster: { snat, manager, replicas: 'cache' } });
    const story = await Story.begin(lab, manager);
    for (const name of [first, second]) {
      await story.powerCut(name);
      await story.steady();
      await story.comeBack(name);
      await story.steady();
    }
    await story.expectAllWell();
  },
);

test('without the commit the flows that are taken over are lost, and no others', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none', replicas: 'cache' } });
  const flows = establishedFlows(lab).filter(({ kind }) => kind === 'busy' || kind === 'bulk');
  const story = await Story.begin(lab, 'none', flows);
  await restartAgent(lab.node('fw2'), 'commit');
  await story.synced('fw2');
  await story.powerCut('fw1');
  const expected = flows.map(({ id }) => id).filter((id) => id.includes('.fw1.'));
  const lost = () =>
    story.traffic
      .snapshot()
      .filter((flow) => flow.lost)
      .map(({ id }) => id);
  await until('the flows that fw1 served to be lost', lost, 15_000, (ids) => ids.length >= expected.length);
  expect(lost().sort()).toEqual(expected.sort());
});
