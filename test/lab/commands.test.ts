import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attempt, picture } from './attempt.ts';
import { agentUp } from './cluster.ts';
import { expectEnd, moveJson, NOTHING, statusOf, whereJson } from './command-output.ts';
import { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { SEED, SERVER } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares } from './shares.ts';

let lab: Lab;
let fw1: FirewallNode;
let fw2: FirewallNode;

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') {
    console.error(await lab.logs(20));
  }
});

describe('with no manager', () => {
  const cluster = { snat: true, manager: 'none' } as const;

  beforeAll(async () => {
    lab = await Lab.create({ clients: 1, cluster });
    fw1 = lab.node('fw1');
    fw2 = lab.node('fw2');
    await Promise.all([fw1.boot(), fw2.boot()]);
    for (const node of [fw1, fw2]) {
      await node.writeConfiguration(
        '/etc/conntrackd/conntrackd.conf',
        await node.product(['render', 'conntrackd']),
      );
    }
  });

  afterAll(() => lab.close());

  it.each([
    [['dance'], /^conntrack-ha: unknown command 'dance'; see conntrack-ha --help$/],
    [
      ['statsu'],
      /^conntrack-ha: unknown command 'statsu' \(Did you mean status\?\); see conntrack-ha --help$/,
    ],
    [['status', '--colour'], /^conntrack-ha: unknown option '--colour'; see conntrack-ha --help$/],
    [['takeover'], /^conntrack-ha: missing required argument 'node\|group'; see conntrack-ha --help$/],
    [
      ['takeover', 'fw9'],
      /^conntrack-ha: "fw9" is neither a node nor a group; known are fw1, fw2, fw1_fw2, fw2_fw1$/,
    ],
    [['where', 'fw1'], /^conntrack-ha: expected an address such as 192\.168\.0\.3 or fd00::3, got "fw1"$/],
    [
      ['render', 'pizza'],
      /^conntrack-ha: nothing renders "pizza"; known are keepalived, pacemaker, conntrackd, nftables, xtables$/,
    ],
    [
      ['render', 'nftables', '--node', 'fw9'],
      /^conntrack-ha: --node: "fw9" is no node of the cluster lab; use fw1 or fw2$/,
    ],
    [['-c', '/etc/nowhere', 'status'], /^conntrack-ha: \/etc\/nowhere: is not there; .+ -c FILE$/],
  ])('%j is a mistake of whoever typed it', async (args, stderr) => {
    await expectEnd(fw1, args, 2, { stdout: NOTHING, stderr });
  });

  it.each([['status'], ['takeover', 'fw1'], ['release', 'fw1_fw2']])('%s needs an agent', async (...args) => {
    await expectEnd(fw1, args, 3, {
      stdout: NOTHING,
      stderr: /^conntrack-ha: no agent runs here \(\S+\); start it: conntrack-ha run$/,
    });
  });

  it('prints its version', async () => {
    await expectEnd(fw1, ['--version'], 0, { stdout: /^\d+\.\d+\.\d+$/, stderr: NOTHING });
  });

  it('prints help, and needs no agent for what the configuration says', async () => {
    await expectEnd(fw1, ['--help'], 0, { stdout: /^Usage: conntrack-ha /, stderr: NOTHING });
    await expectEnd(fw1, ['where', '192.168.0.20'], 0, {
      stdout: /^192\.168\.0\.20: bucket \d+ of 64, group fw1_fw2, home fw1, owner unknown$/,
      stderr: NOTHING,
    });
    await expectEnd(fw1, ['where', '8.8.8.8'], 0, {
      stdout: /^8\.8\.8\.8: bucket /,
      stderr: /^warning: 8\.8\.8\.8 is not inside \(192\.168\.0\.0\/24\): /,
    });
    await expectEnd(fw1, ['stop'], 0, { stdout: /^fw1: the data plane was down already$/, stderr: NOTHING });
  });

  it.each(['fw1', 'fw2'])('renders for %s what keepalived and nft take', async (name) => {
    const keepalived = await fw1.product(['render', 'keepalived', '--node', name]);
    await fw1.writeConfiguration('/etc/keepalived/test.conf', keepalived);
    await fw1.run(['keepalived', '-t', '-f', '/etc/keepalived/test.conf']);
    await fw1.run(['nft', '-c', '-f', '-'], {
      input: await fw1.product(['render', 'nftables', '--node', name]),
    });
  });

  it('starts, saying that the kernel doesn’t forward, and owns its home when no peer answers', async () => {
    const before = await picture(fw1);
    await fw1.run(['sysctl', '-q', '-w', 'net.ipv4.ip_forward=0']);
    const started = await attempt(fw1, ['start']);
    expect(started.stdout).toMatch(
      /^fw1: the data plane is loaded, closed\nfw1: snat on eth2: .+; 64512 in all\nfw1: owns fw1_fw2 \(32 buckets\): its home starts$/,
    );
    expect(started.stderr.split('\n')).toEqual([
      expect.stringMatching(
        /^warning: net\.ipv4\.ip_forward is 0: .+ set it with "sysctl -w net\.ipv4\.ip_forward=1" \[ipv4-forwarding\]$/,
      ),
      expect.stringMatching(/ warning: fw1: no conntrackd listens on .+; start it, or .+$/),
    ]);
    expect(started.status).toBe(0);
    await fw1.run(['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
    expect(await fw1.ownedBuckets()).toHaveLength(32);
    await expectEnd(fw1, ['start'], 0, {
      stdout:
        /^fw1: the data plane was loaded already\nfw1: snat on eth2: .+; 64512 in all\nfw1: owns fw1_fw2 /,
      stderr: / warning: fw1: no conntrackd listens on /,
    });
    await expectEnd(fw1, ['stop'], 1, {
      stdout: NOTHING,
      stderr: /^conntrack-ha: fw1 owns fw1_fw2, and its flows would end; .+, or use --force$/,
    });
    expect(await fw1.ownedBuckets()).toHaveLength(32);
    await expectEnd(fw1, ['stop', '--force'], 0, { stdout: /^fw1: the data plane is down/, stderr: NOTHING });
    await fw1.run(['rm', '-r', '/run/conntrack-ha']);
    expect(await picture(fw1)).toBe(before);
  });

  it('refuses a takeover while the owner’s states are not here, and does it by force', async () => {
    await fw2.startConntrackd();
    await fw2.startAgent();
    await agentUp(fw2);
    // Without conntrackd nothing is ever compared.
    await fw1.startAgent();
    await agentUp(fw1);
    await untilShares(lab, HOMES);
    await expectEnd(fw1, ['takeover', 'fw2'], 1, {
      stdout: /^fw2_fw1: refused: this node doesn't hold the states of fw2 yet: .+; wait, or --force$/,
      stderr: /^conntrack-ha: takeover fw2: not done for fw2_fw1$/,
    });
    await untilShares(lab, HOMES);
    const { stdout, status } = await attempt(fw1, ['takeover', 'fw2', '--force', '--json']);
    expect(moveJson.parse(JSON.parse(stdout))).toEqual({
      command: 'takeover',
      groups: [{ group: 'fw2_fw1', outcome: 'done', reason: expect.stringMatching(/./) }],
    });
    expect(status).toBe(0);
    await untilShares(lab, { fw1: 'all', fw2: 'none' });
    await expectEnd(fw1, ['takeover', 'fw2'], 0, {
      stdout: /^fw2_fw1: nothing to do: this node owns it already$/,
      stderr: NOTHING,
    });
  });

  it('takes a node’s groups over with the word, when the states are here', async () => {
    await fw1.startConntrackd();
    await until(
      'fw2 to be synced',
      async () => (await statusOf(fw2)).groups.every(({ synced }) => synced),
      10_000,
    );
    await expectEnd(fw2, ['takeover', 'fw2'], 0, { stdout: /^fw2_fw1: done: /, stderr: NOTHING });
    await untilShares(lab, HOMES);
  });

  it('refuses to release what nobody else would own, and does it by force', async () => {
    await expectEnd(fw1, ['release', 'fw1'], 1, {
      stdout:
        /^fw1_fw2: refused: nobody else would own it; run "conntrack-ha takeover fw1_fw2" on fw2, or --force$/,
      stderr: /^conntrack-ha: release fw1: not done for fw1_fw2$/,
    });
    await expectEnd(fw1, ['release', 'fw2'], 0, {
      stdout: /^fw2_fw1: nothing to do: this node does not own it$/,
      stderr: NOTHING,
    });
    await expectEnd(fw1, ['release', 'fw1_fw2', '--force'], 0, {
      stdout: /^fw1_fw2: done: operator says release$/,
      stderr: NOTHING,
    });
    await untilShares(lab, { fw1: 'none', fw2: 'home' });
    const { groups, warnings } = await statusOf(fw1);
    expect(groups[0]).toMatchObject({ name: 'fw1_fw2', owner: null, role: 'replica' });
    expect(warnings).toEqual([
      {
        code: 'no-owner',
        object: 'fw1_fw2',
        text: expect.stringMatching(
          /^fw1_fw2 has no owner: its packets are dropped; this node doesn't take it: /,
        ),
      },
    ]);
    await expectEnd(fw1, ['takeover', 'fw1'], 0, { stdout: /^fw1_fw2: done: /, stderr: NOTHING });
    await untilShares(lab, HOMES);
  });

  it('refuses to stop under a running agent', async () => {
    await expectEnd(fw1, ['stop', '--force'], 1, {
      stdout: NOTHING,
      stderr: /^conntrack-ha: the agent runs and would load the data plane again; stop it first$/,
    });
    await expectEnd(fw1, ['start'], 0, {
      stdout: /^fw1: the agent runs; the data plane is loaded and whole$/,
      stderr: NOTHING,
    });
    await untilShares(lab, HOMES);
  });

  it('shows the same on both nodes', async () => {
    const [one, two] = [await statusOf(fw1), await statusOf(fw2)];
    expect(one.groups.map(({ name, home, owner, buckets }) => [name, home, owner, buckets])).toEqual([
      ['fw1_fw2', 'fw1', 'fw1', 32],
      ['fw2_fw1', 'fw2', 'fw2', 32],
    ]);
    expect(two.groups.map(({ owner }) => owner)).toEqual(['fw1', 'fw2']);
    expect([one.conntrackd, two.conntrackd]).toEqual(['ok', 'ok']);
    expect([one.warnings, two.warnings]).toEqual([[], []]);
    const text = await fw1.product(['status']);
    expect(text).toMatch(/^fw1: manager none, conntrackd ok$/m);
    expect(text).toMatch(/^fw2_fw1 +fw2 +replica +yes +32 /m);
    expect(text).toMatch(/^peer fw2: reachable; \d+ flows compared at \S+, 0 missing$/m);
  });

  it('shows it again every second, until nobody reads', async () => {
    const { stdout, stderr } = await attempt(
      fw1,
      ['status', '--watch'],
      ['sh', '-c', '"$@" | head -10', 'sh'],
    );
    expect(stdout.match(/^fw1: manager none/gm)).toHaveLength(2);
    expect(stderr).toBe('');
  });

  it('tells anybody the bucket, and root alone the rest', async () => {
    const nobody = ['setpriv', '--reuid', '65534', '--clear-groups', '--'];
    const where = await attempt(fw1, ['where', '192.168.0.20', '--json'], nobody);
    expect(whereJson.parse(JSON.parse(where.stdout))).toMatchObject({ group: 'fw1_fw2', owner: null });
    expect(where.stderr).toMatch(
      /^warning: \S+: only root may ask the agent; use sudo: the owner isn't known$/,
    );
    expect(where.status).toBe(0);
    const status = await attempt(fw1, ['status'], nobody);
    expect(status.stderr).toMatch(/^conntrack-ha: \S+: only root may ask the agent; use sudo$/);
    expect(status.status).toBe(1);
  });

  it('says of an address what the kernel says', async () => {
    const [client] = lab.clients;
    if (client === undefined) {
      throw new RangeError('a client expected');
    }
    // The kernel's own hash of the source of what the client sends.
    await client.machine.run(['nft', '-f', '-'], {
      input: `table ip probe {
        set seen { type ipv4_addr . mark; flags dynamic; size 100; }
        chain out { type filter hook output priority 0;
          ip daddr ${SERVER} meta mark set jhash ip saddr mod 64 seed ${SEED} update @seen { ip saddr . meta mark }
        }
      }`,
    });
    for (const address of client.plan.addresses) {
      await client.machine.run(['ping', '-c', '1', '-W', '2', '-I', address, SERVER]);
    }
    const listing = await client.machine.run(['nft', 'list', 'set', 'ip', 'probe', 'seen']);
    const seen = [...listing.matchAll(/([\d.]+) \. (0x[0-9a-f]+)/g)].map(
      ([, address = '', mark]) => [address, Number(mark)] as const,
    );
    expect(seen.map(([address]) => address).toSorted()).toEqual([...client.plan.addresses].toSorted());
    const owners = new Set<string | null>();
    for (const [address, bucket] of seen) {
      const where = whereJson.parse(JSON.parse(await fw1.product(['where', address, '--json'])));
      expect(where).toMatchObject({ address, bucket });
      expect(where.owner).toBe(where.home);
      const owner = lab.node(where.owner ?? '');
      expect(await owner.ownedBuckets()).toContain(bucket);
      owners.add(where.owner);
    }
    expect(owners).toEqual(new Set(['fw1', 'fw2']));
  });
});
