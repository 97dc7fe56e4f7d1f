import { expect, test } from 'vitest';
import { agentUp } from '../cluster.ts';
import { createLab } from '../labs.ts';
import { corrections, FIFO, fillFifo, keptWord, untilMaster } from '../notify-fifo.ts';
import type { Daemon } from '../rig/daemon.ts';
import { until } from '../rig/wait.ts';
import { HOMES } from '../shares.ts';
import { Story } from '../story.ts';

/** By index, as keepalived's VRIDs count them. */
const [FW1_FW2, FW2_FW1] = [0, 1];

test('a full pipe loses MASTER, then FAULT: the addresses tell what the lines do not', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'keepalived');
  const agent = fw1.daemon('agent');

  await agent.kill('SIGSTOP');
  fillFifo(fw1);
  await fw2.daemon('keepalived').kill();
  await untilMaster(fw1, FW2_FW1, true);
  await agent.kill('SIGCONT');
  await story.changes({ fw1: 'all', fw2: 'none' });
  expect(await corrections(fw1)).toEqual([
    expect.stringMatching(
      / warning: fw1: keepalived is MASTER for fw2_fw1 \(its address 127\.84\.0\.51 is there\), though its last line said BACKUP: a line was lost$/,
    ),
  ]);
  await fw2.startKeepalived();
  await story.changes(HOMES);
  await story.steady();

  // The inside is gone, so only fw2 can serve; an agent that goes on believing in MASTER would win against it.
  const from = Date.now();
  await agent.kill('SIGSTOP');
  fillFifo(fw1);
  await fw1.cutLink('inside');
  await untilMaster(fw1, FW1_FW2, false);
  await agent.kill('SIGCONT');
  await story.changes({ fw1: 'none', fw2: 'all' }, from);
  // The lost interface has moved the group already; the word must come right all the same.
  await until('the correction', async () => (await corrections(fw1)).length > 1, 5000);
  expect((await corrections(fw1)).slice(1)).toEqual([
    expect.stringMatching(
      /: keepalived is not MASTER for fw1_fw2 \(its address 127\.84\.0\.50 is gone\), though /,
    ),
  ]);
  await story.steady();
  await fw1.healLink('inside');
  await story.changes(HOMES);
  await story.steady();
  await story.expectAllWell();
});

test('another reader takes the lines, while the agent is busy, and while it is dead', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'keepalived');
  const steal = () => fw1.machine.spawn('thief', ['cat', FIFO]);
  const stolen = async (thief: Daemon, count: number): Promise<void> => {
    await until(
      `${count} stolen lines`,
      async () => (await thief.output()).match(/^INSTANCE "fw2_fw1" MASTER \d+$/gm) ?? [],
      5000,
      (lines) => lines.length >= count,
    );
    await thief.kill();
  };

  await fw1.daemon('agent').kill('SIGSTOP');
  const first = await steal();
  await fw2.daemon('keepalived').kill();
  await stolen(first, 1);
  await fw1.daemon('agent').kill('SIGCONT');
  await story.changes({ fw1: 'all', fw2: 'none' });
  expect(await corrections(fw1)).toHaveLength(1);
  await fw2.startKeepalived();
  await story.changes(HOMES);
  await story.steady();

  await fw1.daemon('agent').kill('SIGKILL');
  const second = await steal();
  await fw2.daemon('keepalived').kill();
  await stolen(second, 2);
  expect(keptWord(fw1, 'fw2_fw1')).toMatch(/^replica keepalived /);
  await fw1.startAgent();
  await agentUp(fw1);
  await story.changes({ fw1: 'all', fw2: 'none' });
  expect((await corrections(fw1)).at(-1)).toMatch(/: keepalived is MASTER for fw2_fw1 /);
  await fw2.startKeepalived();
  await story.changes(HOMES);
  await story.steady();
  await story.expectAllWell();
});
