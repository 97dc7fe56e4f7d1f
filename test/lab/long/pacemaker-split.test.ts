import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLab } from '../labs.ts';
import { cutClusterLinks, failuresOf, healClusterLinks, setStandby, untilOnline } from '../pacemaker.ts';
import { until } from '../rig/wait.ts';
import { HOMES, readShares, watchOwned } from '../shares.ts';
import { Story } from '../story.ts';

/** Longer than a promote waits for its answer, so that it is seen to fail. */
const SPLIT_MS = 25_000;

test('without fencing, each node thinks that the other is dead: nobody changes hands, and it heals', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'pacemaker' } });
  const story = await Story.begin(lab, 'pacemaker');
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const changes = await Promise.all(lab.nodes.map(watchOwned));
  const before = await readShares(lab);
  await cutClusterLinks(fw1);
  await untilOnline(fw1, ['fw1']);
  await untilOnline(fw2, ['fw2']);
  // What is to be seen is that nothing happens.
  await sleep(SPLIT_MS);
  expect(await readShares(lab)).toBe(before);
  expect(await Promise.all(changes.map((read) => read()))).toEqual([[], []]);
  for (const [node, group, owner] of [
    [fw1, 'fw2_fw1', 'fw2'],
    [fw2, 'fw1_fw2', 'fw1'],
  ] as const) {
    expect(await failuresOf(node)).toContainEqual(
      expect.stringMatching(new RegExp(`^${group}_promote_0 on ${node.name}: ${owner} keeps it`)),
    );
  }
  await healClusterLinks(fw1);
  await untilOnline(fw1, ['fw1', 'fw2']);
  await story.changes(HOMES);
  await story.steady();
  await story.expectAllWell();
}, 120_000);

test('without fencing, a stop that fails keeps the group where it is, until it is mended', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'pacemaker' } });
  const story = await Story.begin(lab, 'pacemaker');
  const fw1 = lab.node('fw1');
  const words = '/run/conntrack-ha/words';
  await fw1.run(['sh', '-c', `rm -r ${words} && touch ${words}`]);
  await setStandby(fw1, 'fw1', true);
  await until(
    'the failed stop',
    () => failuresOf(fw1),
    20_000,
    (failures) => failures.some((line) => /^fw1_fw2_stop_0 on fw1: .*words: can't be written/.test(line)),
  );
  await story.changes(HOMES);
  await fw1.run(['sh', '-c', `rm ${words} && mkdir -m 700 ${words}`]);
  // In this order: after the cleanup Pacemaker promotes before it has looked who is promoted.
  await setStandby(fw1, 'fw1', false);
  await fw1.run(['crm_resource', '--cleanup']);
  await story.changes(HOMES);
  await story.steady();
  await setStandby(fw1, 'fw1', true);
  await story.changes({ fw1: 'none', fw2: 'all' });
  await story.steady();
  await setStandby(fw1, 'fw1', false);
  await story.changes(HOMES);
  await story.steady();
  await story.expectAllWell();
}, 120_000);
