import { expect, test } from 'vitest';
import { agentUp } from './cluster.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { watchOwned } from './shares.ts';
import { Story } from './story.ts';

/** Started again at once, as by the service manager: after three seconds the check would count the node as not ready. */
const restartAgent = async (node: FirewallNode): Promise<void> => {
  await node.daemon('agent').kill('SIGKILL');
  await node.startAgent();
  await agentUp(node);
};

test('killed in steady state, an agent takes nothing with it', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived');
  const watches = await Promise.all(lab.nodes.map(watchOwned));
  for (const node of lab.nodes) {
    await restartAgent(node);
    await story.answered();
  }
  await Promise.all(lab.nodes.map(restartAgent));
  await story.steady();
  expect(await Promise.all(watches.map((changes) => changes()))).toEqual([[], []]);
  // Agents that were restarted know what to do.
  await story.powerCut('fw1');
  await story.steady();
  await story.expectAllWell();
});
