import { expect } from 'vitest';
import { agentUp } from './cluster.ts';
import { createLab } from './labs.ts';
import { watchOwners } from './owners.ts';
import { Story } from './story.ts';

/** fw1's agent is killed or stopped: fw2 serves all, then loses its power; fw1 serves all, gets an agent, and fw2 returns. */
export const agentGone = async (end: 'SIGKILL' | 'SIGSTOP'): Promise<void> => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const fw1 = lab.node('fw1');
  const story = await Story.begin(lab, 'keepalived');
  const owners = watchOwners(lab);

  await fw1.daemon('agent').kill(end);
  await story.changes({ fw1: 'none', fw2: 'all' });
  await story.steady();
  const seen = await owners();

  await story.powerCut('fw2');
  await story.steady();

  await fw1.startAgent();
  await agentUp(fw1);
  await story.comeBack('fw2');
  await story.steady();
  await story.expectAllWell();
  expect(seen.two).toBeLessThan(100);
};
