import { expect, test } from 'vitest';
import type { Warning } from '../../src/cluster/warning.ts';
import { BootedFirewall } from './booted/booted-firewall.ts';
import { debianRoot } from './booted/debian-root.ts';
import { installByReadme, type Pair } from './booted/install.ts';
import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { ofNow } from './no-warning.ts';
import { until } from './rig/wait.ts';
import { untilAnswered } from './traffic/answered.ts';
import type { FlowSpec } from './traffic/flow.ts';
import { Traffic } from './traffic/traffic.ts';

/** A node that has booted gets its home back as soon as it holds the states. */
const HOME_MS = 30_000;

const HOMES = [
  Array.from({ length: 32 }, (_, index) => 2 * index),
  Array.from({ length: 32 }, (_, index) => 2 * index + 1),
];

const owned = async (nodes: Pair): Promise<unknown> =>
  Promise.all(nodes.map(async (node) => (await node.ownedBuckets()) ?? []));

/** Waits until each filters its home, nothing has failed in either, and neither warns of anything. */
const untilWell = async (nodes: Pair): Promise<void> => {
  await until(
    'the homes',
    () => owned(nodes),
    HOME_MS,
    (sets) => JSON.stringify(sets) === JSON.stringify(HOMES),
  );
  for (const node of nodes) {
    await until(
      `no warning of ${node.name}`,
      async () => JSON.parse(await node.shell('conntrack-ha status --json')).warnings,
      HOME_MS,
      (warnings: readonly Warning[]) => ofNow(warnings).length === 0,
    );
    expect(await node.shell('systemctl --failed --plain --no-legend')).toBe('');
  }
};

/** Takes every interface of an ifupdown's node down at once, the sync link for two seconds: both nodes own one home meanwhile. */
const RESTART_NETWORK = 'systemctl restart networking systemd-networkd';

/** What administrators and packages do to a node that serves. */
const CHORES = [
  'systemctl kill --signal=KILL conntrackd',
  'systemctl restart conntrackd',
  'systemctl restart conntrack-ha',
  'systemctl restart keepalived',
  'systemctl restart nftables',
  'sysctl --system',
  RESTART_NETWORK,
];

const untilServesAll = (node: BootedFirewall): Promise<unknown> =>
  until(
    `${node.name} to serve all`,
    async () => (await node.ownedBuckets())?.length,
    10_000,
    (count) => count === 64,
  );

/** For minutes, and each connection leaves a state that keeps its port for two of them. */
const slowly = (spec: FlowSpec): FlowSpec => (spec.kind === 'connects' ? { ...spec, intervalMs: 300 } : spec);

test('README, step by step, on two machines with systemd; each reboots and loses its power, and no flow is lost', {
  timeout: 900_000,
}, async () => {
  const root = await debianRoot();
  const lab = await createLab({});
  const nodes = [
    new BootedFirewall(lab, lab.node('fw1').plan, root),
    new BootedFirewall(lab, lab.node('fw2').plan, root),
  ] as const;
  await installByReadme(nodes);
  await untilWell(nodes);

  const traffic = await Traffic.start(lab);
  traffic.add(lab.clients.flatMap(({ plan }) => flowsOfBothHomes(plan)).map(slowly));
  await traffic.ready();
  const [fw1, fw2] = nodes;
  for (const [node, other] of [
    [fw1, fw2],
    [fw2, fw1],
  ] as const) {
    for (const end of ['reboot', 'powerCut'] as const) {
      await (end === 'reboot' ? node.shutDown() : node.powerCut());
      await untilServesAll(other);
      await untilAnswered(traffic);
      await node.boot();
      await untilWell(nodes);
      await untilAnswered(traffic);
    }
  }
  for (const [node, command] of CHORES.flatMap((chore) => nodes.map((each) => [each, chore] as const))) {
    console.log(`${new Date().toISOString()} ${node.name}: ${command}`);
    await node.shell(command);
    await untilWell(nodes);
    if (command === RESTART_NETWORK) {
      console.log(`connections that failed as they began: ${traffic.forgiveConnections()}`);
    }
    await untilAnswered(traffic);
  }
  const verdicts = await traffic.stop();
  expect(verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);

  // Without the drop-in conntrackd doesn't wait for its address, and is started six times.
  await fw1.shell('rm -r /etc/systemd/system/conntrackd.service.d');
  await fw1.reboot();
  await until(
    'conntrackd to fail',
    async () => fw1.shell('systemctl is-failed conntrackd || true'),
    30_000,
    (state) => state === 'failed',
  );
});
