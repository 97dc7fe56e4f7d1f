import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bringUp, restartAgent, untilActive } from './cluster.ts';
import { LogTail } from './log-tail.ts';
import { untilNoWarning } from './no-warning.ts';
import { clusterYaml } from './rig/cluster-config.ts';
import { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { planNode } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { warningsOf } from './warnings.ts';

/** In which a stranger has to be named. */
const BOUND_MS = 5000;
/** Until keepalived's have gone: ten seconds of silence, and two looks. */
const GONE_MS = 13_000;

const CLUSTER = { snat: true, manager: 'keepalived' } as const;
const OURS = clusterYaml([1, 2].map(planNode), CLUSTER);
/** The same example, with other names and addresses; one of them is fw1's on the sync link. */
const THEIRS = clusterYaml([3, 4].map(planNode), CLUSTER)
  .replace('cluster: lab', 'cluster: other')
  .replace('10.99.0.4', '10.99.0.1')
  .replaceAll(/192\.168\.([01])\.5/g, '192.168.$1.6');
/** With what is drawn from the cluster's name. */
const drawn = (text: string): string => text.replaceAll(/mac: "[^"]*", /g, '').replace(', vrid: 50', '');

let lab: Lab;
let fw1: FirewallNode;
let fw2: FirewallNode;
let stranger: FirewallNode;

const create = async (text: string): Promise<void> => {
  lab = await Lab.create({ clients: 0, nodes: 4, cluster: CLUSTER });
  [fw1, fw2, stranger] = [lab.node('fw1'), lab.node('fw2'), lab.node('fw3')];
  for (const node of [fw1, fw2]) await node.writeConfiguration('/etc/conntrack-ha/cluster.yaml', text);
};

/** Until the second cluster's only node serves. */
const bringUpStranger = async (text: string): Promise<void> => {
  await stranger.writeConfiguration('/etc/conntrack-ha/cluster.yaml', text);
  await stranger.writeConfiguration('/etc/conntrack-ha/key', `${'fedcba9876543210'.repeat(4)}\n`, 0o600);
  await bringUp(stranger, 'keepalived');
};

const codesOf = async (node: FirewallNode): Promise<readonly string[]> =>
  (await warningsOf(node)).map(({ code, object }) => `${code} ${object}`);

const strangersIn = (log: string): readonly string[] =>
  log
    .split('\n')
    .filter((line) => /\[(vrrp-stranger|mac-stranger|address-stranger|other-cluster)\]/.test(line));

const names = (node: FirewallNode, warning: string, boundMs = BOUND_MS): Promise<unknown> =>
  until(
    `${node.name} to name ${warning}`,
    () => codesOf(node),
    boundMs,
    (codes) => codes.includes(warning),
  );

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(await lab.logs(20));
});

describe('a second cluster with the same VRIDs and MACs', () => {
  const VRRP = 'vrrp-stranger 192.168.0.243';
  const MAC = `mac-stranger ${planNode(3).links.inside.mac} on eth1`;
  let log: LogTail;

  beforeAll(async () => {
    await create(OURS);
    await bringUpStranger(THEIRS);
    await untilActive(lab, { fw3: 64 });
  }, 60_000);
  afterAll(() => lab?.close());

  it('is named by nodes that begin beside it, by all that is the same', async () => {
    await Promise.all([fw1, fw2].map((node) => bringUp(node, 'keepalived')));
    const from = Date.now();
    log = new LogTail(fw1);
    await names(fw1, VRRP);
    await names(fw2, VRRP);
    await names(fw1, 'other-cluster 10.99.0.3');
    console.log(`named ${Date.now() - from} ms after keepalived's start`);
    const text = (await warningsOf(fw1)).find(({ code }) => code === 'vrrp-stranger')?.text ?? '';
    expect(text).toMatch(
      /^192\.168\.0\.243, no node of this cluster, speaks VRRP on eth1 with our VRID 50 \(fw1_fw2\) at priority 150/,
    );
    expect(await fw1.product(['status'])).toContain(`${text} [vrrp-stranger]`);
    for (const code of ['vrrp-stranger', 'other-cluster']) {
      expect((await log.warnings()).filter((line) => line.endsWith(`[${code}]`))).toHaveLength(1);
    }
  });

  it('is named by the MACs that it announces its addresses with', async () => {
    // It announces as soon as it knows what it owns.
    await restartAgent(stranger);
    await names(fw1, MAC);
    await names(fw2, MAC);
    await log.hears(/uses our shared MAC 01:00:5e:00:01:01 on eth1 for 192\.168\.0\.6: .*\[mac-stranger\]/);
  });

  it('is named by nobody who has no ears', async () => {
    await restartAgent(fw2, 'strangers');
    await restartAgent(fw1);
    await names(fw1, VRRP);
    expect((await codesOf(fw2)).filter((code) => code.includes('stranger'))).toEqual([]);
  });

  it('is named no more when it has gone, and the groups have owners', { timeout: 30_000 }, async () => {
    await stranger.powerCut();
    log = new LogTail(fw1);
    await log.hears(/192\.168\.0\.243 no longer speaks VRRP on eth1 with our VRIDs/, GONE_MS);
    expect(await codesOf(fw1)).not.toContain(VRRP);
    await untilActive(lab, { fw1: 32, fw2: 32 });
  });
});

describe('two clusters by the same example, with names of their own', () => {
  beforeAll(() => create(drawn(OURS)), 60_000);
  afterAll(() => lab?.close());

  it('serve side by side and see nothing of each other', { timeout: 30_000 }, async () => {
    await Promise.all([
      bringUpStranger(drawn(THEIRS).replace('10.99.0.1', '10.99.0.4')),
      ...[fw1, fw2].map((node) => bringUp(node, 'keepalived')),
    ]);
    await untilActive(lab, { fw1: 32, fw2: 32, fw3: 64 });
    const since = Date.now();
    await until('them to be looked at', () => Date.now() > since + BOUND_MS, BOUND_MS + 1000);
    await untilActive(lab, { fw1: 32, fw2: 32, fw3: 64 });
    for (const node of [fw1, fw2, stranger]) {
      expect(strangersIn(await node.daemon('agent').output())).toEqual([]);
    }
    await untilNoWarning([fw1, fw2]);
  });
});
