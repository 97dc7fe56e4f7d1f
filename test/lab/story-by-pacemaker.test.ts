import { expect, test } from 'vitest';
import { createLab } from './labs.ts';
import { failuresOf, setStandby } from './pacemaker.ts';
import { HOMES } from './shares.ts';
import { Story } from './story.ts';

test('fw1 goes to standby and back, dies and returns: no flow is lost', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'pacemaker' } });
  const story = await Story.begin(lab, 'pacemaker');
  const fw2 = lab.node('fw2');
  await setStandby(fw2, 'fw1', true);
  await story.changes({ fw1: 'none', fw2: 'all' });
  await story.steady();
  await setStandby(fw2, 'fw1', false);
  await story.changes(HOMES);
  await story.steady();
  await story.powerCut('fw1');
  await story.steady();
  await story.comeBack('fw1');
  await story.steady();
  expect(await failuresOf(fw2)).toEqual([]);
  await story.expectAllWell();
}, 120_000);
