import { expect, test } from 'vitest';
import { attempt } from './attempt.ts';
import { restartAgent } from './cluster.ts';
import { addressAt } from './flows.ts';
import { createLab } from './labs.ts';
import { planClient } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';

/**
 * With `replicas: cache` the new owner commits what it has been sent: so the old one answers the hand-over word only when
 * its conntrackd has sent all that happened. Here that is slow: stopped, while the last connection begins.
 */

const FROM = addressAt(planClient(1), 'fw1');
const LATE = 'c1.late';

const begin = async (broken?: string): Promise<Story> => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none', replicas: 'cache' } });
  const story = await Story.begin(lab, 'none', [{ id: 'c1.busy', kind: 'busy', from: FROM }]);
  if (broken !== undefined) {
    await restartAgent(lab.node('fw1'), broken);
  }
  await story.synced('fw2');
  await lab.node('fw1').daemon('conntrackd').kill('SIGSTOP');
  story.traffic.add([{ id: LATE, kind: 'busy', from: FROM }]);
  await story.traffic.ready();
  return story;
};

test('what began just before a hand-over goes on after it', async () => {
  const story = await begin();
  const [giver, taker] = [story.lab.node('fw1'), story.lab.node('fw2')];
  const command = attempt(taker, ['takeover', 'fw1']);
  await until(
    'fw1 to give it up',
    () => giver.ownedBuckets(),
    5000,
    (buckets) => buckets?.length === 0,
  );
  await giver.daemon('conntrackd').kill('SIGCONT');
  expect(await command).toMatchObject({ status: 0 });
  await story.answered();
  await story.expectAllWell();
});

test('unless the old owner answers at once', async () => {
  const story = await begin('send');
  const [giver, taker] = [story.lab.node('fw1'), story.lab.node('fw2')];
  expect(await attempt(taker, ['takeover', 'fw1'])).toMatchObject({ status: 0 });
  await giver.daemon('conntrackd').kill('SIGCONT');
  await until('the late connection to be lost', () => story.traffic.flow(LATE).lost, 12_000);
  expect(story.traffic.flow('c1.busy').lost).toBe(false);
});
