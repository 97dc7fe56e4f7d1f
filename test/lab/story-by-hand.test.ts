import { test } from 'vitest';
import { createLab } from './labs.ts';
import { Story } from './story.ts';

test.each([
  { first: 'fw1', snat: true },
  { first: 'fw2', snat: false },
] as const)('$first dies and returns, snat $snat: no flow is lost', async ({ first, snat }) => {
  const lab = await createLab({ cluster: { snat, manager: 'none' } });
  const story = await Story.begin(lab, 'none');
  await story.powerCut(first);
  await story.steady();
  await story.comeBack(first);
  await story.steady();
  await story.expectAllWell();
});
