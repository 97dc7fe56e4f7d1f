import { expect, test } from 'vitest';
import { restartAgent } from '../cluster.ts';
import { createLab } from '../labs.ts';
import { HOMES, untilShares } from '../shares.ts';
import { Story } from '../story.ts';

/** The old owner closes in each case; what it says about that, and when, is what is wrong. */
test('the old owner never answers the word, answers twice, answers too late', {
  timeout: 90_000,
}, async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'none');
  const from = Date.now();
  for (const broken of ['mute', 'echo', 'late']) {
    await restartAgent(fw1, broken);
    await story.synced('fw2');
    await fw2.product(['takeover', 'fw1']);
    await untilShares(lab, { fw1: 'none', fw2: 'all' });
    // What the answer doesn't tell, the old owner's next status does: it doesn't own the group any more.
    const answered =
      (await fw2.daemon('agent').output()).match(/took over fw1_fw2 .*; fw1 gave it up/g)?.length ?? 0;
    expect(answered, broken).toBe({ mute: 0, echo: 1, late: 1 }[broken]);
    await restartAgent(fw1);
    await story.synced('fw1');
    await fw1.product(['takeover', 'fw1']);
    await untilShares(lab, HOMES);
  }
  story.note({ from, to: Date.now() });
  await story.steady();
  await story.expectAllWell();
});
