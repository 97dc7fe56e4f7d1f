import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { agentUp } from './cluster.ts';
import { createLab } from './labs.ts';
import { watchOwners } from './owners.ts';
import { withoutCheck } from './rewrites.ts';
import { until } from './rig/wait.ts';
import { watchOwned } from './shares.ts';
import { Story } from './story.ts';

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'an agent after %s: its node counts as not ready',
  { timeout: 90_000 },
  async (end) => {
    const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
    const fw1 = lab.node('fw1');
    const story = await Story.begin(lab, 'keepalived');
    const owners = watchOwners(lab);

    await fw1.daemon('agent').kill(end);
    await story.changes({ fw1: 'none', fw2: 'all' });
    await story.steady();
    const seen = await owners();

    await story.powerCut('fw2');
    await story.steady();

    await fw1.startAgent();
    await agentUp(fw1);
    await story.comeBack('fw2');
    await story.steady();
    await story.expectAllWell();
    expect(seen.two).toBeLessThan(100);
  },
);

test('without the check, a node whose agent is dead stays in charge, and takes nothing over', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived', undefined, withoutCheck);
  const changes = await watchOwned(lab.node('fw2'));
  await lab.node('fw1').daemon('agent').kill('SIGKILL');
  await sleep(6000);
  expect(await changes()).toEqual([]);
  await lab.node('fw2').powerCut();
  await until(
    'the flows of fw2 to be lost',
    () => story.traffic.snapshot().filter(({ id, lost }) => lost && id.includes('.fw2.')),
    12_000,
    (lost) => lost.length > 0,
  );
});
