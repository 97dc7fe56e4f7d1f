import { expect, test } from 'vitest';
import { agentUp } from '../cluster.ts';
import { createLab } from '../labs.ts';
import { plansOf, untilOnline } from '../pacemaker.ts';
import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { HOMES, type Shares, untilShares } from '../shares.ts';
import { Story } from '../story.ts';

const ALL_AT_FW2: Shares = { fw1: 'none', fw2: 'all' };
/** Pacemaker looks at a resource every 10 s, and may have to do so twice. */
const BOUND_MS = 40_000;

/** Ends what runs of it on a node, as a crash of all of it would. */
const killAll = async (node: FirewallNode, pattern: string): Promise<void> => {
  await node.run(['pkill', '-KILL', '-f', pattern]);
  await until(
    `${pattern} to end`,
    () => node.run(['sh', '-c', `pgrep -f -r R,S,D '${pattern}' || :`]),
    20_000,
    (found) => found.trim() === '',
  );
};

test('agent, conntrackd, Pacemaker and corosync of fw1 are killed in turn: no flow is lost', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'pacemaker' } });
  const story = await Story.begin(lab, 'pacemaker');
  const fw1 = lab.node('fw1');
  const becomes = async (shares: Shares): Promise<void> => {
    story.note(await untilShares(lab, shares, BOUND_MS));
    await story.steady();
  };

  await fw1.daemon('agent').kill('SIGKILL');
  await becomes(ALL_AT_FW2);
  await fw1.startAgent();
  await agentUp(fw1);
  await becomes(HOMES);

  // Its owner serves on: what begins now is on no other node.
  await fw1.daemon('conntrackd').kill('SIGKILL');
  await story.steady();
  await fw1.startConntrackd();
  await story.synced('fw1');
  await story.synced('fw2');
  await becomes(HOMES);

  await killAll(fw1, '^(/usr/lib/pacemaker/|pacemakerd)');
  await becomes(ALL_AT_FW2);
  await fw1.startPacemaker();
  await untilOnline(fw1, ['fw1', 'fw2']);
  await becomes(HOMES);

  await killAll(fw1, '^corosync');
  await becomes(ALL_AT_FW2);
  await fw1.stopClusterStack();
  await fw1.startClusterStack(plansOf(lab));
  await untilOnline(fw1, ['fw1', 'fw2']);
  await becomes(HOMES);
  await story.expectAllWell();
  expect(await fw1.product(['status'])).not.toContain('warning');
}, 400_000);
