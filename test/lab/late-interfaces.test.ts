import { expect, test } from 'vitest';
import { attempt } from './attempt.ts';
import { agentUp, bringUp } from './cluster.ts';
import { createLab } from './labs.ts';
import { productCommand } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares } from './shares.ts';
import { warningTexts } from './warnings.ts';

test.each(['inside', 'outside', 'sync'] as const)(
  'an agent that starts before an interface is there waits for it, closed: %s',
  async (side) => {
    const lab = await createLab({ ip6: true, cluster: { snat: true, manager: 'keepalived' } });
    const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
    await bringUp(fw2, 'keepalived');
    await fw1.boot();
    await fw1.removeLink(side);
    const { device } = fw1.plan.links[side];
    const started = await attempt(fw1, ['start']);
    expect(started.stderr).toMatch(new RegExp(`waiting for ${device}: there is no such interface on fw1`));
    expect([started.status, await fw1.ownedBuckets()]).toEqual([0, []]);
    await fw1.writeConfiguration(
      '/etc/keepalived/keepalived.conf',
      await fw1.product(['render', 'keepalived']),
    );
    await fw1.startAgent();
    await agentUp(fw1);
    expect((await warningTexts(fw1)).join('\n')).toMatch(new RegExp(`${device} .*(is missing|not there)`));
    expect(await fw1.ownedBuckets()).toEqual([]);
    await fw1.makeLink(side);
    await fw1.startConntrackd(await fw1.product(['render', 'conntrackd']));
    await fw1.startKeepalived();
    await untilShares(lab, HOMES);
    await until(
      'nothing to warn of',
      () => warningTexts(fw1),
      15_000,
      (warnings) => warnings.length === 0,
    );
    expect(await fw1.run(['ip', '-br', 'address'])).toContain('192.168.1.5/32');
  },
  60_000,
);

test('an agent that starts without its sync address hears its peers once that is there', async () => {
  const lab = await createLab({ clients: 0, cluster: { snat: true, manager: 'keepalived' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  await bringUp(fw2, 'keepalived');
  await fw1.boot();
  await fw1.machine.ip(['addr del 10.99.0.1/24 dev eth3']);
  await fw1.startAgent();
  await agentUp(fw1);
  expect(await fw1.ownedBuckets()).toEqual([]);
  const log = fw1.daemon('agent');
  expect(await log.output()).toMatch(/10\.99\.0\.1:3781: this node doesn't have its sync address/);
  await fw1.machine.ip(['addr add 10.99.0.1/24 dev eth3']);
  await until('fw2', async () => (await log.output()).includes('fw2 answers on the sync link'), 5000);
}, 60_000);

test('without a manager start itself waits, closed, and then takes the home groups', async () => {
  const lab = await createLab({ clients: 0, cluster: { snat: true, manager: 'none' } });
  const fw1 = lab.node('fw1');
  await fw1.boot();
  await fw1.removeLink('outside');
  const start = await fw1.machine.spawn('start', [...productCommand, 'start']);
  await until('it to wait', async () => (await start.output()).includes('fw1: waiting for eth2'), 10_000);
  expect(await fw1.ownedBuckets()).toEqual([]);
  await fw1.makeLink('outside');
  await start.ended;
  expect(await start.output()).toMatch(/fw1: owns fw1_fw2/);
  expect((await fw1.ownedBuckets())?.length).toBe(32);
  expect(await fw1.run(['ip', '-br', 'address'])).toContain('192.168.1.5/32');
}, 60_000);

test('start beside a running agent mends, and says what it can’t', async () => {
  const lab = await createLab({ ip6: true, clients: 0, cluster: { snat: true, manager: 'none' } });
  const fw1 = lab.node('fw1');
  await bringUp(fw1, 'none');
  await fw1.machine.ip(['addr del 192.168.0.5/32 dev eth1']);
  const mended = await attempt(fw1, ['start']);
  expect([mended.status, mended.stderr]).toEqual([0, '']);
  expect(await fw1.run(['ip', '-br', 'address'])).toContain('192.168.0.5/32');
  await fw1.run(['sysctl', '-qw', 'net.ipv6.conf.eth1.disable_ipv6=1']);
  const refused = await attempt(fw1, ['start']);
  expect(refused.stderr).toMatch(/address fd00:1::5\/64 on eth1 is missing and can't be put back/);
  expect(refused.status).toBe(1);
}, 60_000);
