import { expect, test } from 'vitest';
import { agentUp, bringUp } from '../cluster.ts';
import { expectEnd, NOTHING, statusOf } from '../command-output.ts';
import { createLab } from '../labs.ts';
import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { HOMES, untilShares } from '../shares.ts';
import { Story } from '../story.ts';

const FW1_ALL = { fw1: 'all', fw2: 'none' } as const;
const FW2_ALL = { fw1: 'none', fw2: 'all' } as const;

const done = (node: FirewallNode, args: readonly string[], ...groups: readonly string[]): Promise<void> =>
  expectEnd(node, args, 0, {
    stdout: new RegExp(`^${groups.map((group) => `${group}: done: .*`).join('\n')}$`),
    stderr: NOTHING,
  });

const nothingToDo = (node: FirewallNode, args: readonly string[], group: string): Promise<void> =>
  expectEnd(node, args, 0, { stdout: new RegExp(`^${group}: nothing to do: `), stderr: NOTHING });

const refused = (node: FirewallNode, args: readonly string[], group: string, reason: RegExp): Promise<void> =>
  expectEnd(node, args, 1, {
    stdout: new RegExp(`^${group}: refused: ${reason.source}$`),
    stderr: new RegExp(`^conntrack-ha: ${args.filter((arg) => arg !== '--force').join(' ')}: not done for `),
  });

test('no manager: of a group and of a node, to and fro, and what would lose flows is refused', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'none');
  await nothingToDo(fw1, ['takeover', 'fw1_fw2'], 'fw1_fw2');
  await nothingToDo(fw1, ['release', 'fw2'], 'fw2_fw1');

  for (const target of ['fw1_fw2', 'fw1']) {
    const from = Date.now();
    await done(fw2, ['takeover', target], 'fw1_fw2');
    await story.changes(FW2_ALL, from);
    await story.steady();
    // The word went to the owner; it was not taken for dead.
    expect(await fw1.daemon('agent').output()).toMatch(/released fw1_fw2 .*: fw2 asks for it\n/);
    await refused(
      fw2,
      ['release', target],
      'fw1_fw2',
      /nobody else would own it; run "conntrack-ha takeover fw1_fw2" on fw1, or --force/,
    );
    await story.handBack('fw1');
    await story.steady();
  }

  await story.powerCut('fw1');
  await story.steady();
  // Without a conntrackd it can't hold the states.
  await fw1.boot();
  await fw1.startAgent();
  await agentUp(fw1);
  await until('fw1 to see fw2', async () => (await statusOf(fw1)).peers[0]?.reachable, 5000);
  await refused(fw1, ['takeover', 'fw1'], 'fw1_fw2', /this node doesn't hold the states of fw2 yet: .*/);
  await untilShares(lab, FW2_ALL);
  await fw1.startConntrackd();
  await story.handBack('fw1');
  await story.steady();
  await story.expectAllWell();

  await done(fw1, ['release', 'fw1_fw2', '--force'], 'fw1_fw2');
  await untilShares(lab, { fw1: 'none', fw2: 'home' });
  await done(fw2, ['takeover', 'fw1'], 'fw1_fw2');
  await untilShares(lab, FW2_ALL);
});

test('keepalived in charge: refused without force, kept with it until its next word', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'keepalived');
  const decides = /keepalived decides who owns it; --force overrules it until its next word/;
  await refused(fw1, ['takeover', 'fw2'], 'fw2_fw1', decides);
  await refused(fw1, ['release', 'fw1_fw2'], 'fw1_fw2', decides);
  await untilShares(lab, HOMES);

  let from = Date.now();
  await done(fw1, ['takeover', 'fw2', '--force'], 'fw2_fw1');
  await story.changes(FW1_ALL, from);
  await story.steady();
  await untilShares(lab, FW1_ALL);
  // An agent's restart is no word.
  await fw1.daemon('agent').kill();
  await fw1.startAgent();
  await agentUp(fw1);
  await story.steady();
  await untilShares(lab, FW1_ALL);

  from = Date.now();
  await done(fw2, ['takeover', 'fw2', '--force'], 'fw2_fw1');
  await story.changes(HOMES, from);
  await story.steady();

  // To and fro: what the operator said last counts, and keepalived's own word isn't lost under it.
  for (const [node, shares] of [
    [fw2, FW2_ALL],
    [fw1, HOMES],
    [fw2, FW2_ALL],
  ] as const) {
    await story.synced(node.name);
    from = Date.now();
    await done(node, ['takeover', 'fw1', '--force'], 'fw1_fw2');
    await story.changes(shares, from);
  }
  await story.steady();
  // What the operator keeps goes to keepalived's choice when its node is gone.
  await fw2.powerCut();
  await story.changes({ fw1: 'all', fw2: 'off' });
  await story.comeBack('fw2');
  await story.steady();
  await story.expectAllWell();
});

test('drain and resume go through keepalived', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  await Promise.all([bringUp(fw1, 'keepalived')]);
  await untilShares(lab, { fw1: 'all', fw2: 'off' });
  await expectEnd(fw1, ['drain'], 1, {
    stdout:
      /^fw1_fw2: refused: no peer that answers holds its states and has a keepalived; wait for one, or --force\nfw2_fw1: refused: /,
    stderr: /^conntrack-ha: drain: not done for fw1_fw2, fw2_fw1$/,
  });
  await fw1.powerCut();

  const story = await Story.begin(lab, 'keepalived');
  await until(
    'both to hold the states',
    async () =>
      (await Promise.all(lab.nodes.map(statusOf))).every(({ groups }) =>
        groups.every(({ synced }) => synced),
      ),
    10_000,
  );
  const from = Date.now();
  await done(fw1, ['drain'], 'fw1_fw2');
  await story.changes(FW2_ALL, from);
  await story.steady();
  expect((await statusOf(fw1)).drained).toBe(true);

  // Kept over the agent's restart.
  await fw1.daemon('agent').kill('SIGKILL');
  await fw1.startAgent();
  await agentUp(fw1);
  await story.synced('fw1');
  await story.steady();
  await untilShares(lab, FW2_ALL);

  // The last one serves, drained or not.
  await story.powerCut('fw2');
  await story.steady();
  await bringUp(fw2, 'keepalived');
  await story.changes(FW2_ALL);
  await story.steady();

  await done(fw1, ['resume'], 'fw1_fw2');
  await story.changes(HOMES);
  expect((await statusOf(fw1)).drained).toBe(false);
  await story.steady();
  await story.expectAllWell();
});
