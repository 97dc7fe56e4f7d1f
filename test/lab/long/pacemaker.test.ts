import { expect, test } from 'vitest';
import { createLab } from '../labs.ts';
import { failuresOf, untilOnline } from '../pacemaker.ts';
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
