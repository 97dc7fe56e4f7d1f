import { expect, test } from 'vitest';
import { attempt } from './attempt.ts';
import { agentUp, bringUp } from './cluster.ts';
import { createLab } from './labs.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares } from './shares.ts';

test('start --closed loads and takes nothing, whatever is missing; the agent then takes its home', async () => {
  const lab = await createLab({ clients: 0, cluster: { snat: true, manager: 'none' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  await bringUp(fw2, 'none');
  await fw1.boot();
  await fw1.removeLink('outside');
  const closed = await attempt(fw1, ['start', '--closed']);
  expect([closed.status, closed.stderr]).toEqual([0, '']);
  expect(closed.stdout).toBe('fw1: the data plane is loaded, closed');
  expect(await fw1.ownedBuckets()).toEqual([]);
  await fw1.startConntrackd(await fw1.product(['render', 'conntrackd']));
  await fw1.startAgent();
  await agentUp(fw1);
  // As `start` does: nothing before every interface is there.
  await until(
    'it to wait',
    async () => (await fw1.daemon('agent').output()).includes('waiting for eth2'),
    10_000,
  );
  expect(await fw1.ownedBuckets()).toEqual([]);
  await fw1.makeLink('outside');
  await untilShares(lab, HOMES);
  // Beside an agent it mends.
  await fw1.machine.ip(['addr del 192.168.0.5/32 dev eth1']);
  expect((await attempt(fw1, ['start', '--closed'])).status).toBe(0);
  expect(await fw1.run(['ip', '-br', 'address'])).toContain('192.168.0.5/32');
  expect((await fw1.ownedBuckets())?.length).toBe(32);
}, 60_000);

test('start --closed leaves a node alone that the operator has stopped', async () => {
  const lab = await createLab({ clients: 0, cluster: { snat: true, manager: 'none' } });
  const fw1 = lab.node('fw1');
  await fw1.boot();
  await fw1.product(['start', '--closed']);
  await fw1.product(['stop']);
  expect(await fw1.product(['start', '--closed'])).toBe('fw1: stopped by the operator; nothing is loaded');
  expect(await fw1.ownedBuckets()).toBeUndefined();
}, 60_000);
