import { expect, test } from 'vitest';
import { agentUp, bringUp, restartAgent } from '../cluster.ts';
import { createLab } from '../labs.ts';
import { failuresOf, plansOf, setProperty, setStandby, untilOnline } from '../pacemaker.ts';
import type { Lab } from '../rig/lab.ts';
import { HOMES } from '../shares.ts';
import { Story } from '../story.ts';

const ALL_AT_FW2 = { fw1: 'none', fw2: 'all' } as const;

const begin = async (): Promise<{ lab: Lab; story: Story }> => {
  const lab = await createLab({ cluster: { snat: true, manager: 'pacemaker' } });
  return { lab, story: await Story.begin(lab, 'pacemaker') };
};

test('drain, resume, a move, and a rolling restart of the cluster stack: no flow is lost', async () => {
  const { lab, story } = await begin();
  const fw1 = lab.node('fw1');
  await fw1.product(['drain']);
  await story.changes(ALL_AT_FW2);
  await story.steady();
  await fw1.product(['resume']);
  await story.changes(HOMES);
  await story.steady();
  await fw1.run(['crm_resource', '--resource', 'fw1_fw2-clone', '--ban', '--promoted', '--node', 'fw1']);
  await story.changes(ALL_AT_FW2);
  await story.steady();
  await fw1.run(['crm_resource', '--resource', 'fw1_fw2-clone', '--clear']);
  await story.changes(HOMES);
  await story.steady();
  await fw1.stopClusterStack();
  await story.changes(ALL_AT_FW2);
  await story.steady();
  await fw1.startClusterStack(lab.nodes.map(({ plan }) => plan));
  await untilOnline(fw1, ['fw1', 'fw2']);
  await story.changes(HOMES);
  await story.steady();
  expect(await failuresOf(fw1)).toEqual([]);
  await story.expectAllWell();
}, 200_000);

test('maintenance mode, and an upgrade of both nodes, one after the other: no flow is lost', async () => {
  const { lab, story } = await begin();
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  await setProperty(fw1, 'maintenance-mode', 'true');
  await Promise.all(lab.nodes.map((node) => restartAgent(node)));
  await story.steady();
  await setProperty(fw1, 'maintenance-mode', 'false');
  await story.changes(HOMES);
  await story.steady();
  for (const [node, other, shares] of [
    [fw1, fw2, ALL_AT_FW2],
    [fw2, fw1, { fw1: 'all', fw2: 'none' }],
  ] as const) {
    await setStandby(other, node.name, true);
    await story.changes(shares);
    await node.stopClusterStack();
    for (const name of ['agent', 'conntrackd'] as const) {
      await node.daemon(name).kill('SIGTERM');
    }
    await node.startConntrackd();
    await node.startAgent();
    await agentUp(node);
    await node.startClusterStack(plansOf(lab));
    await untilOnline(other, ['fw1', 'fw2']);
    await setStandby(other, node.name, false);
    await story.changes(HOMES);
    await story.steady();
  }
  expect(await failuresOf(fw1)).toEqual([]);
  await story.expectAllWell();
}, 240_000);

test('did a node that returns publish its score before it holds the states, flows would be lost', async () => {
  const { lab, story } = await begin();
  await story.powerCut('fw1');
  await story.steady();
  await bringUp(lab.node('fw1'), 'pacemaker', { broken: 'readiness', cluster: plansOf(lab) });
  await story.homeAgain();
  const verdicts = await story.traffic.stop();
  const lost = verdicts.filter((verdict) => verdict.lost).map(({ id }) => id);
  expect(lost).toContain('c1.fw1.idle');
  // Those of the node that stayed are not among them.
  expect(lost.filter((id) => id.includes('.fw2.'))).toEqual([]);
}, 120_000);
