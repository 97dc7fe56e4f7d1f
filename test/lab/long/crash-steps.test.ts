import { expect, test } from 'vitest';
import { STEPS_OF_CACHE, TRANSITIONS } from '../../../src/transitions/steps.ts';
import { attempt } from '../attempt.ts';
import { agentUp, restartAgent } from '../cluster.ts';
import { establishedFlows } from '../flows.ts';
import { createLab } from '../labs.ts';
import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { untilComplementary } from '../shares.ts';
import { Story } from '../story.ts';

const NODES = ['fw1', 'fw2'] as const;

/** Waits until the agent has ended at its step; if it never gets there, the step doesn't exist any more. */
const crashed = (node: FirewallNode, step: string): Promise<unknown> =>
  until(`the agent of ${node.name} to end before ${step}`, () => !node.daemon('agent').running, 10_000);

const ownsHomeOf = async (node: FirewallNode, home: 'fw1' | 'fw2'): Promise<boolean> => {
  const parity = home === 'fw1' ? 0 : 1;
  return ((await node.ownedBuckets()) ?? []).some((bucket) => bucket % 2 === parity);
};

const converged = async (story: Story): Promise<void> => {
  await untilComplementary(story.lab, 15_000);
  await Promise.all(NODES.map((name) => story.synced(name)));
  await story.answered();
};

test.each([
  { home: 'fw1', replicas: 'kernel' },
  { home: 'fw2', replicas: 'kernel' },
  { home: 'fw1', replicas: 'cache' },
] as const)(
  'an agent ends before each step of a hand-over of what is at home at $home, replicas $replicas',
  async ({ home, replicas }) => {
    const lab = await createLab({ cluster: { snat: true, manager: 'none', replicas } });
    const story = await Story.begin(lab, 'none', establishedFlows(lab));
    const from = Date.now();
    const steps = [
      ...TRANSITIONS.takeover.map((step) => ['taker', `takeover.${step}`] as const),
      ...TRANSITIONS.release.map((step) => ['giver', `release.${step}`] as const),
    ];
    for (const [who, step] of steps.filter(
      ([, name]) => replicas === 'cache' || !STEPS_OF_CACHE.includes(name),
    )) {
      const giver = (await ownsHomeOf(lab.node('fw1'), home)) ? lab.node('fw1') : lab.node('fw2');
      const taker = lab.node(giver.name === 'fw1' ? 'fw2' : 'fw1');
      const victim = who === 'taker' ? taker : giver;
      await restartAgent(victim, `crash:${step}`);
      await story.synced(taker.name);
      const command = attempt(taker, ['takeover', home]);
      await crashed(victim, step);
      await command;
      await victim.startAgent();
      await agentUp(victim);
      await converged(story);
    }
    story.note({ from, to: Date.now() });
    await story.steady();
    await story.expectAllWell();
  },
  120_000,
);

test('an agent ends before each step of a rejoin', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived');
  for (const [index, step] of TRANSITIONS.rejoin.entries()) {
    const name = index % 2 === 0 ? 'fw1' : 'fw2';
    const node = lab.node(name);
    await story.powerCut(name);
    await story.steady();
    await node.boot();
    await node.startConntrackd();
    await node.startAgent(`crash:rejoin.${step}`);
    await crashed(node, step);
    expect(await node.ownedBuckets()).toEqual([]);
    await node.startAgent();
    await agentUp(node);
    await node.startKeepalived();
    await story.homeAgain();
  }
  await story.steady();
  await story.expectAllWell();
}, 120_000);
