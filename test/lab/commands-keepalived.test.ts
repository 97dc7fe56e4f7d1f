import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { agentUp } from './cluster.ts';
import { expectEnd, NOTHING } from './command-output.ts';
import { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';

let lab: Lab;
let fw1: FirewallNode;

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') {
    console.error(await lab.logs(20));
  }
});

describe('with keepalived in charge', () => {
  beforeAll(async () => {
    lab = await Lab.create({ clients: 0, cluster: { snat: true, manager: 'keepalived' } });
    fw1 = lab.node('fw1');
    await fw1.boot();
    await fw1.startConntrackd(await fw1.product(['render', 'conntrackd']));
  });

  afterAll(() => lab.close());

  it('start loads the data plane closed, and names who decides', async () => {
    await expectEnd(fw1, ['start'], 0, {
      stdout:
        /^fw1: the data plane is loaded, closed\nfw1: snat on eth2: .+; 64512 in all\nfw1: keepalived decides who owns what; start it and the agent: conntrack-ha run$/,
      stderr: NOTHING,
    });
    expect(await fw1.ownedBuckets()).toEqual([]);
  });

  it('the operator needs force, and keepalived’s next word counts again', async () => {
    await fw1.startAgent();
    await agentUp(fw1);
    const refused = /: refused: keepalived decides who owns it; --force overrules it until its next word$/;
    await expectEnd(fw1, ['takeover', 'fw1'], 1, {
      stdout: refused,
      stderr: /^conntrack-ha: takeover fw1: not done for fw1_fw2$/,
    });
    expect(await fw1.ownedBuckets()).toEqual([]);
    await expectEnd(fw1, ['takeover', 'fw1', '--force'], 0, { stdout: /^fw1_fw2: done: /, stderr: NOTHING });
    expect(await fw1.ownedBuckets()).toHaveLength(32);
    await expectEnd(fw1, ['release', 'fw1_fw2'], 1, {
      stdout: refused,
      stderr: /^conntrack-ha: release fw1_fw2: not done for fw1_fw2$/,
    });
    expect(await fw1.ownedBuckets()).toHaveLength(32);
    await expectEnd(fw1, ['release', 'fw1_fw2', '--force'], 0, {
      stdout: /^fw1_fw2: done: /,
      stderr: NOTHING,
    });
    expect(await fw1.ownedBuckets()).toEqual([]);
    await fw1.startKeepalived(await fw1.product(['render', 'keepalived']));
    await until(
      'keepalived to take everything',
      () => fw1.ownedBuckets(),
      10_000,
      (owned) => owned?.length === 64,
    );
  });
});
