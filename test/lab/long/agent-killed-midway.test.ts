import { watch } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { attempt } from '../attempt.ts';
import { agentUp } from '../cluster.ts';
import { establishedFlows } from '../flows.ts';
import { createLab } from '../labs.ts';
import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { untilComplementary } from '../shares.ts';
import { Story } from '../story.ts';

const killAgent = (node: FirewallNode): Promise<void> => node.daemon('agent').kill('SIGKILL');

const restartAgent = async (node: FirewallNode): Promise<void> => {
  await node.startAgent();
  await agentUp(node);
};

test.each(['none', 'keepalived'] as const)('killed in a rejoin, manager %s', async (manager) => {
  const lab = await createLab({ cluster: { snat: true, manager } });
  const story = await Story.begin(lab, manager);
  await story.powerCut('fw1');
  const [home, survivor] = [lab.node('fw1'), lab.node('fw2')];
  await home.boot();
  await home.startConntrackd();
  for (const moment of ['loaded', 'agent runs', 'rejoins', 'holds the states']) {
    const agent = await home.startAgent();
    const { length } = await agent.output();
    const reached = async (): Promise<boolean> =>
      moment === 'loaded'
        ? (await home.ownedBuckets()) !== undefined
        : (await agent.output()).slice(length).includes(moment);
    // What one agent has done the next one needn't do again.
    await until(moment, reached, 2500).catch(() => undefined);
    await killAgent(home);
    if (manager === 'keepalived' && moment === 'agent runs') {
      await home.startKeepalived();
    }
  }
  await restartAgent(home);
  await killAgent(survivor);
  await restartAgent(survivor);
  await (manager === 'none' ? story.handBack('fw1') : story.homeAgain());
  await story.steady();
  await story.expectAllWell();
});

test('killed in a hand-over, on either side of it', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const story = await Story.begin(lab, 'none', establishedFlows(lab));
  const from = Date.now();
  for (const killed of ['taker', 'taker', 'owner', 'owner'] as const) {
    const owner = lab.node(((await lab.node('fw1').ownedBuckets()) ?? []).length > 0 ? 'fw1' : 'fw2');
    const taker = lab.node(owner.name === 'fw1' ? 'fw2' : 'fw1');
    const victim = killed === 'taker' ? taker : owner;
    await story.synced(taker.name);
    const command = attempt(taker, ['takeover', 'fw1']);
    await Promise.race([wantedSoon(taker), command.then(({ stderr }) => expect(stderr).toBe(''))]);
    await killAgent(victim);
    await command;
    await restartAgent(victim);
    await untilComplementary(lab);
    await Promise.all(lab.nodes.map(({ name }) => story.synced(name)));
    await story.answered();
  }
  story.note({ from, to: Date.now() });
  await story.handBack('fw1');
  await story.steady();
  await story.expectAllWell();
});

/** Resolves at the moment when the agent writes down that it is to own something. */
const wantedSoon = async (node: FirewallNode): Promise<void> => {
  const ended = AbortSignal.timeout(5000);
  for await (const { filename } of watch(node.machine.path('/run/conntrack-ha/wanted'), { signal: ended })) {
    if (filename === 'fw1_fw2') {
      return;
    }
  }
};
