import { test } from 'vitest';
import { type Break, bringUp } from '../cluster.ts';
import { flowsToPublished, fragmentedFlows } from '../dmz-flows.ts';
import { flowsOfBothHomes } from '../flows.ts';
import { createLab } from '../labs.ts';
import type { Lab } from '../rig/lab.ts';
import { planClient } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';
import { HOMES, untilShares } from '../shares.ts';
import { withStall } from '../stalls.ts';
import { Story } from '../story.ts';
import { untilSameTables } from '../tables.ts';
import { untilAnswered } from '../traffic/answered.ts';
import type { FlowSpec } from '../traffic/flow.ts';
import { Traffic } from '../traffic/traffic.ts';

test.each([
  { first: 'fw1', second: 'fw2', snat: false },
  { first: 'fw2', second: 'fw1', snat: true },
] as const)(
  'IPv6 beside IPv4: $first and then $second dies and returns, snat $snat: no flow is lost',
  async (one) => {
    const lab = await createLab({ ip6: true, cluster: { snat: one.snat, manager: 'keepalived' } });
    const { plan } = lab.client('c1');
    const story = await Story.begin(lab, 'keepalived', [
      ...lab.clients.flatMap((client) => flowsOfBothHomes(client.plan, 6)),
      ...flowsOfBothHomes(plan),
      ...fragmentedFlows(plan, 4),
      ...fragmentedFlows(plan, 6),
    ]);
    for (const name of [one.first, one.second]) {
      await withStall(story, `snat ${one.snat}, ${name} dies`, () => story.powerCut(name));
      await withStall(story, `snat ${one.snat}, ${name} returns`, () => story.comeBack(name));
    }
    await story.expectAllWell();
    await untilSameTables(lab, 20_000, 4);
    await untilSameTables(lab, 20_000, 6);
  },
  120_000,
);

/** Flows of IPv6 that fw1 serves and that nobody can make anew: by SNAT's port, or as TCP. */
const flowsOfFw1 = (): readonly FlowSpec[] => {
  const plan = planClient(1);
  return [
    ...flowsOfBothHomes(plan, 6).filter(({ kind }) => ['busy', 'udp', 'bulk'].includes(kind)),
    ...fragmentedFlows(plan, 6),
    ...flowsToPublished('translated', 6).filter(({ kind }) => kind === 'busy'),
  ].filter(({ id }) => id.includes('.fw1.'));
};

const begin = async (broken: Break): Promise<{ lab: Lab; traffic: Traffic; ids: readonly string[] }> => {
  const lab = await createLab({
    ip6: true,
    dmz: true,
    clients: 1,
    cluster: { snat: true, publish: 'translated', manager: 'keepalived' },
  });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived', { broken })));
  await untilShares(lab, HOMES);
  const traffic = await Traffic.start(lab);
  const flows = flowsOfFw1();
  traffic.add(flows);
  await traffic.ready();
  return { lab, traffic, ids: flows.map(({ id }) => id) };
};

const untilLost = (traffic: Traffic, expected: readonly string[]): Promise<unknown> =>
  until(
    `the loss of ${expected.join(', ')}`,
    () =>
      traffic
        .snapshot()
        .filter((flow) => flow.lost)
        .map(({ id }) => id),
    20_000,
    (ids) => ids.join() === expected.join(),
  );

test('without states at the peer they are lost as their owner dies', async () => {
  const { lab, traffic, ids } = await begin('sync');
  await lab.node('fw1').powerCut();
  await untilLost(traffic, ids);
});

test('without adopting they are lost as the survivor dies', async () => {
  const { lab, traffic, ids } = await begin('adopt');
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  // What becomes assured only there would be news of its own.
  const copies = () => fw2.run(['conntrack', '-L', '-f', 'ipv6', '-u', 'ASSURED']);
  await until(
    'copies of assured flows',
    copies,
    10_000,
    (text) => text.trim().split('\n').length === ids.length,
  );
  await fw1.powerCut();
  await untilShares(lab, { fw1: 'off', fw2: 'all' });
  await untilAnswered(traffic);
  await bringUp(fw1, 'keepalived', { broken: 'adopt' });
  await fw2.powerCut();
  await untilLost(traffic, ids);
});
