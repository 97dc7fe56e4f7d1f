import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { agentGone } from '../agent-gone.ts';
import { createLab } from '../labs.ts';
import { withoutCheck } from '../rewrites.ts';
import { until } from '../rig/wait.ts';
import { watchOwned } from '../shares.ts';
import { Story } from '../story.ts';

test('an agent is killed: its node counts as not ready', { timeout: 90_000 }, () => agentGone('SIGKILL'));

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
