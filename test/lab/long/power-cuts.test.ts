import { test } from 'vitest';
import { createLab } from '../labs.ts';
import { Story } from '../story.ts';

test('ten power cuts in turn', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived');
  for (let cut = 0; cut < 10; cut += 1) {
    const name = cut % 2 === 0 ? 'fw1' : 'fw2';
    await story.powerCut(name);
    await story.steady();
    await story.comeBack(name);
    await story.steady();
  }
  await story.expectAllWell();
}, 300_000);
