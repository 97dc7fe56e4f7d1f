import { expect, test } from 'vitest';
import { BootedFirewall } from './booted/booted-firewall.ts';
import { debianRoot } from './booted/debian-root.ts';
import { installByReadme } from './booted/install.ts';
import {
  closedAtBoot,
  conntrackdIsSeen,
  dropIn,
  flushedIsClosed,
  hungIsEnded,
  purgeLeavesNothing,
  readyIsReady,
} from './booted/promises.ts';
import { unservedDuring } from './booted/served.ts';
import { IN_ORDER, ShutdownOrder } from './booted/shutdown-order.ts';
import { untilHome, untilWell } from './booted/well.ts';
import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { until } from './rig/wait.ts';
import { untilAnswered } from './traffic/answered.ts';
import type { FlowSpec } from './traffic/flow.ts';
import { Traffic } from './traffic/traffic.ts';

/** Takes every interface of an ifupdown's node down at once, the sync link for two seconds: both nodes own one home meanwhile. */
const RESTART_NETWORK = 'systemctl restart networking systemd-networkd';

/** What administrators and packages do to a node that serves. */
const CHORES = [
  'systemctl kill --signal=KILL conntrackd',
  'systemctl restart conntrackd',
  'systemctl restart conntrack-ha',
  'systemctl restart keepalived',
  'systemctl kill --signal=KILL keepalived',
  'systemctl restart nftables',
  'sysctl --system',
  // What the administrator has changed stays.
  'apt-get install -qq --reinstall ./conntrack-ha_*.deb && grep -q ^net.ipv4.ip_forward /etc/sysctl.d/60-conntrack-ha.conf',
  RESTART_NETWORK,
];

const untilServesAll = (node: BootedFirewall): Promise<unknown> =>
  until(
    `${node.name} to serve all`,
    async () => (await node.ownedBuckets())?.length,
    10_000,
    (count) => count === 64,
  );

/** As needrestart does it, on both nodes at the same moment: in the order of the names. */
const ALL = 'systemctl restart conntrack-ha conntrackd keepalived';
const TIMES = 3;
/** The same where systemd hears of the others only when the agent is about to end. */
const LATE = 'systemctl restart --no-block conntrack-ha; sleep 0.3; systemctl restart conntrackd keepalived';

/** In a hand-over a bucket has no owner for a moment. */
const HAND_OVER_MS = 200;

/** For minutes, and each connection leaves a state that keeps its port for two of them. */
const slowly = (spec: FlowSpec): FlowSpec => (spec.kind === 'connects' ? { ...spec, intervalMs: 300 } : spec);

test('README, step by step, on two machines with systemd; each reboots and loses its power, and no flow is lost', {
  timeout: 1_200_000,
}, async () => {
  const root = await debianRoot();
  const lab = await createLab({});
  const nodes = [
    new BootedFirewall(lab, lab.node('fw1').plan, root),
    new BootedFirewall(lab, lab.node('fw2').plan, root),
  ] as const;
  for (const node of nodes)
    await node.write('/var/log/journal/README', 'makes the journal outlive a reboot\n');
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
      const order = await ShutdownOrder.watch(node);
      await (end === 'reboot' ? node.shutDown() : node.powerCut());
      await untilServesAll(other);
      await untilAnswered(traffic);
      await node.boot();
      await untilWell(nodes);
      await untilAnswered(traffic);
      console.log(`${node.name} after ${end}: no answer for ${traffic.takeStall()} ms at most`);
      if (end === 'reboot') expect(await order.read()).toEqual(IN_ORDER);
    }
  }
  for (const command of [...Array.from({ length: TIMES }, () => ALL), LATE]) {
    const unserved = await unservedDuring(nodes, Promise.all(nodes.map((node) => node.shell(command))));
    expect(unserved).toBeLessThan(HAND_OVER_MS);
    await untilWell(nodes);
    await untilAnswered(traffic);
    console.log(`both, ${command}: no answer for ${traffic.takeStall()} ms at most`);
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
  // Stopped by hand it gives nothing away, and isn't there any more when the node shuts down.
  await fw1.shell('systemctl stop conntrack-ha-drain');
  await untilWell(nodes);
  const order = await ShutdownOrder.watch(fw1);
  await fw1.reboot();
  expect((await order.read())[0]).not.toBe(IN_ORDER[0]);
  await untilWell(nodes);
  console.log(`${fw1.name} rebooted without the drain: no answer for ${traffic.takeStall()} ms at most`);
  traffic.forgiveConnections();
  const verdicts = await traffic.stop();
  expect(verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);

  // An agent that doesn't wait for its manager's end leaves it to give up, on both nodes.
  await Promise.all(nodes.map((node) => dropIn(node, 'ExecStop=')));
  await untilHome(nodes);
  expect(await unservedDuring(nodes, Promise.all(nodes.map((node) => node.shell(LATE))))).toBeGreaterThan(
    HAND_OVER_MS,
  );

  await conntrackdIsSeen(fw1);
  await readyIsReady(fw1);
  await hungIsEnded(fw1);
  await flushedIsClosed(fw1);
  await closedAtBoot(lab, fw1);

  // Without the drop-in conntrackd doesn't wait for its address, and is started six times.
  const ours = '/etc/systemd/system/conntrackd.service.d';
  await fw1.shell(`mkdir -p ${ours}; ln -s /dev/null ${ours}/conntrack-ha.conf`);
  await fw1.reboot();
  await until(
    'conntrackd to fail',
    async () => fw1.shell('systemctl is-failed conntrackd || true'),
    30_000,
    (state) => state === 'failed',
  );

  await purgeLeavesNothing(fw2);
});
