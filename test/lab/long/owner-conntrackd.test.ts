import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { statusOf } from '../command-output.ts';
import { createLab } from '../labs.ts';
import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { HOMES, untilShares, watchOwned } from '../shares.ts';
import { Story } from '../story.ts';

const ABSENT_MS = 60_000;
const STUCK_MS = 10_000;

const untilConntrackd = (node: FirewallNode, state: string): Promise<unknown> =>
  until(
    `conntrackd of ${node.name} to be ${state}`,
    async () => (await statusOf(node)).conntrackd,
    10_000,
    (seen) => seen === state,
  );

test('an owner loses its conntrackd: killed, absent, stuck; it converges, and the states are whole', {
  timeout: 240_000,
}, async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'keepalived');
  const whole = async (): Promise<void> => {
    await untilConntrackd(fw1, 'ok');
    await Promise.all([story.synced('fw1'), story.synced('fw2')]);
    await story.answered();
  };
  const watches = await Promise.all(lab.nodes.map(watchOwned));

  await fw1.daemon('conntrackd').kill('SIGKILL');
  await fw1.startConntrackd();
  await whole();

  await fw1.daemon('conntrackd').kill('SIGKILL');
  await untilConntrackd(fw1, 'absent');
  await sleep(ABSENT_MS);
  await story.answered();
  await fw1.startConntrackd();
  await whole();

  await fw1.daemon('conntrackd').kill('SIGSTOP');
  await untilConntrackd(fw1, 'stuck');
  await sleep(STUCK_MS);
  await story.answered();
  await fw1.daemon('conntrackd').kill('SIGCONT');
  await whole();
  await untilShares(lab, HOMES);
  expect(await Promise.all(watches.map((changes) => changes()))).toEqual([[], []]);

  await story.powerCut('fw1');
  await story.steady();
  await story.comeBack('fw1');
  await story.steady();

  // What it holds it holds in the kernel: the survivor's conntrackd isn't needed to take over, only to hand back.
  await fw2.daemon('conntrackd').kill('SIGKILL');
  await story.powerCut('fw1');
  await story.steady();
  await fw2.startConntrackd();
  await untilConntrackd(fw2, 'ok');
  await story.comeBack('fw1');
  await story.powerCut('fw2');
  await story.steady();
  await story.expectAllWell();
});
