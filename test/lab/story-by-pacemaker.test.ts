import { expect, test } from 'vitest';
import { createLab } from './labs.ts';
import { failuresOf } from './pacemaker.ts';
import { HOMES } from './shares.ts';
import { Story } from './story.ts';

test('fw1 goes to standby and back, dies and returns: no flow is lost', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'pacemaker' } });
  const story = await Story.begin(lab, 'pacemaker');
  const fw2 = lab.node('fw2');
  await fw2.run(['crm_standby', '-N', 'fw1', '-v', 'on']);
  await story.changes({ fw1: 'none', fw2: 'all' });
  await story.steady();
  await fw2.run(['crm_standby', '-N', 'fw1', '-D']);
  await story.changes(HOMES);
  await story.steady();
  await story.powerCut('fw1');
  await story.steady();
  await story.comeBack('fw1');
  await story.steady();
  expect(await failuresOf(fw2)).toEqual([]);
  await story.expectAllWell();
}, 120_000);
