import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attempt, picture } from './attempt.ts';
import { clusterYaml } from './rig/cluster-config.ts';
import { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { planNode } from './rig/plan.ts';

const CONFIG = '/etc/conntrack-ha/cluster.yaml';
const KEY = '/etc/conntrack-ha/key';
const FIFO = '/run/conntrack-ha/keepalived.fifo';

let lab: Lab;
let fw1: FirewallNode;

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') {
    console.error(await lab.logs(20));
  }
});

const cluster = { snat: true, manager: 'keepalived' } as const;

describe('a node that can’t be started', () => {
  const good = clusterYaml([1, 2].map(planNode), cluster);
  const key = `${'0123456789abcdef'.repeat(4)}\n`;

  beforeAll(async () => {
    lab = await Lab.create({ clients: 0, cluster });
    fw1 = lab.node('fw1');
    await fw1.boot();
  });

  afterAll(() => lab.close());

  /** `run` and `start` end with this status and this one line, and have left everything as it was. */
  const expectRefusal = async (
    status: number,
    line: RegExp,
    options: { readonly behind?: readonly string[]; readonly args?: readonly string[] } = {},
  ): Promise<void> => {
    const before = await picture(fw1);
    for (const command of ['start', 'run']) {
      const result = await attempt(fw1, [...(options.args ?? []), command], options.behind);
      expect(result.stderr.split('\n')).toEqual([expect.stringMatching(line)]);
      expect(result.status).toBe(status);
    }
    expect(await picture(fw1)).toBe(before);
  };

  it.each([
    ['is not YAML', 'nodes: [', /^conntrack-ha: \S+cluster\.yaml:1:\d+: .+; .+$/],
    ['is empty', '', /^conntrack-ha: \S+cluster\.yaml:\S* .+; .+$/],
    ['names an unknown key', `${good}colour: red\n`, /cluster\.yaml:14:1: colour: .+; .+$/],
    [
      'has buckets that are no power of two',
      good.replace('buckets: 64', 'buckets: 48'),
      /:3:10: buckets: .*48.*power of two/,
    ],
    [
      'has overlapping addresses',
      good
        .replace('addresses: [192.168.1.5/24]', 'addresses: [192.168.0.6/24]')
        .replace('snat: [192.168.1.5]', 'snat: [192.168.0.6]'),
      /:10:\d+: interfaces\.eth2\.addresses\[0\]: .+; .+$/,
    ],
  ])('because its configuration %s', async (_, text, line) => {
    await fw1.writeConfiguration(CONFIG, text);
    await expectRefusal(2, line);
    await fw1.writeConfiguration(CONFIG, good);
  });

  it('because it is no node of the cluster', async () => {
    await expectRefusal(2, /^conntrack-ha: --node: "fw9" is no node of the cluster lab; use fw1 or fw2$/, {
      args: ['--node', 'fw9'],
    });
  });

  it.each([
    [
      'others may read',
      key,
      0o644,
      /^conntrack-ha: key file \S+: others .* \(mode 0644\); run: chmod 600 \S+$/,
    ],
    ['is too short', 'secret\n', 0o600, /^conntrack-ha: key file \S+: is 7 bytes long, .+; run: .+$/],
  ])('because its key file %s', async (_, text, mode, line) => {
    await fw1.writeConfiguration(KEY, text, mode);
    await expectRefusal(2, line);
    await fw1.writeConfiguration(KEY, key, 0o600);
  });

  it('because nft is not installed', async () => {
    // All that is in /usr/sbin but nft.
    await fw1.run([
      'sh',
      '-c',
      'mkdir /run/sbin /run/sbin-real && mount --bind /usr/sbin /run/sbin-real && cp -rs /run/sbin-real/. /run/sbin/ && rm /run/sbin/nft',
    ]);
    const before = await picture(fw1);
    await fw1.run(['mount', '--bind', '/run/sbin', '/usr/sbin']);
    for (const command of ['start', 'run']) {
      const { status, stderr } = await attempt(fw1, [command]);
      expect(stderr).toBe('conntrack-ha: nft is not installed: apt install nftables');
      expect(status).toBe(1);
    }
    await fw1.run(['umount', '/usr/sbin']);
    expect(await picture(fw1)).toBe(before);
  });

  it('because it is not root', async () => {
    await expectRefusal(1, /^conntrack-ha: (start|run) needs root; run it with sudo$/, {
      behind: ['setpriv', '--reuid', '65534', '--clear-groups', '--'],
    });
  });

  it('because something else is in the place of the FIFO, but what is loaded is closed', async () => {
    await fw1.run(['sh', '-c', `mkdir -p /run/conntrack-ha && touch ${FIFO}`]);
    const { status, stderr } = await attempt(fw1, ['run']);
    expect(stderr).toBe(`conntrack-ha: ${FIFO}: is not a FIFO of this user; remove it`);
    expect(status).toBe(1);
    expect(await fw1.ownedBuckets()).toEqual([]);
    await fw1.run(['rm', FIFO]);
  });
});
