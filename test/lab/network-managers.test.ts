import { expect, test } from 'vitest';
import { bringUp, restartAgent } from './cluster.ts';
import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { startIfupdown } from './network-managers/ifupdown.ts';
import { generateByNetplan } from './network-managers/netplan.ts';
import { hasOwnAddresses, Networkd, writeNetworkFiles } from './network-managers/networkd.ts';
import { expectOwnSources } from './network-managers/own-sources.ts';
import { TAKEN, warningsOf } from './others.ts';
import type { Daemon } from './rig/daemon.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';

const NAMES = ['fw1', 'fw2'] as const;
/** Whatever others change is put back within a second; the rest is what it takes to see that. */
const MENDED_MS = 1000;
const SEEN_MS = 300;

const makeLab = async (): Promise<Lab> => {
  const lab = await createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => node.boot()));
  return lab;
};

/** One client's flows of both families through each of two firewalls. */
const beginStory = (lab: Lab): Promise<Story> => {
  const { plan } = lab.client('c1');
  return Story.begin(lab, 'keepalived', [...flowsOfBothHomes(plan), ...flowsOfBothHomes(plan, 6)]);
};

/** Tells what was taken from a node's interfaces. */
const watchAddresses = (node: FirewallNode): Promise<Daemon> =>
  node.machine.spawn('addresses', ['ip', 'monitor', 'address']);

const SHARED_TAKEN = [/^Deleted .*eth1 +inet 192\.168\.0\.5\//m, /^Deleted .*eth1 +inet6 fd00:1::5\//m];

/** Milliseconds until everything that the product has put there is there again. */
const untilAllThere = async (node: FirewallNode): Promise<number> => {
  const from = Date.now();
  await until(
    `all parts on ${node.name}`,
    async () => {
      const there = await Promise.all(TAKEN.map(({ isThere }) => isThere(node)));
      return TAKEN.filter((_, index) => !there[index]).map(({ what }) => what);
    },
    5000,
    (missing) => missing.length === 0,
  );
  return Date.now() - from;
};

/** Waits until a node has all that is its own and the cluster's, and warns of nothing. */
const expectMended = async (node: FirewallNode): Promise<void> => {
  const milliseconds = await untilAllThere(node);
  console.log(`${node.name}: all there after ${milliseconds} ms`);
  expect(milliseconds).toBeLessThan(MENDED_MS + SEEN_MS);
  await until(`the own addresses of ${node.name}`, () => hasOwnAddresses(node), 5000);
  await expectOwnSources(node);
  await until(
    `no warning of ${node.name}`,
    () => warningsOf(node),
    10_000,
    (warnings) => warnings.length === 0,
  );
};

test.each([
  { manager: 'systemd-networkd', write: writeNetworkFiles },
  { manager: 'netplan', write: generateByNetplan },
])(
  '$manager restarted, and every interface configured anew',
  async ({ write }) => {
    const lab = await makeLab();
    const daemons = new Map<string, Networkd>();
    for (const node of lab.nodes) {
      await write(node);
      daemons.set(node.name, await Networkd.start(node));
    }
    const story = await beginStory(lab);
    for (const name of NAMES) {
      const node = lab.node(name);
      const monitor = await watchAddresses(node);
      await daemons.get(name)?.restart();
      await expectMended(node);
      await story.answered();
      await write(node);
      const from = Date.now();
      await daemons.get(name)?.reconfigure();
      await expectMended(node);
      story.note({ from, to: Date.now() });
      const seen = await monitor.output();
      for (const taken of SHARED_TAKEN) expect(seen).toMatch(taken);
      await story.homeAgain();
      await story.answered();
      expect(await node.daemon('agent').output()).toMatch(
        /eth1: .*address 192\.168\.0\.5\/32.* was missing for up to 0\.\d s; put back/,
      );
    }
    await story.steady();
    await story.expectAllWell();
  },
  120_000,
);

test('without the watch, what networkd has taken stays away', async () => {
  const lab = await makeLab();
  const fw1 = lab.node('fw1');
  await writeNetworkFiles(fw1);
  const networkd = await Networkd.start(fw1);
  await bringUp(fw1, 'none');
  await restartAgent(fw1, 'parts');
  await networkd.reconfigure();
  const taken = Date.now();
  await until('more than a second', () => Date.now() > taken + MENDED_MS + SEEN_MS, 5000);
  const addresses = await fw1.run(['ip', 'address', 'show']);
  expect(addresses).toContain(' 192.168.0.241/24 ');
  expect(addresses).not.toMatch(/ 192\.168\.[01]\.5\/| fd00:[19]::5\//);
}, 30_000);

test('ifupdown takes an interface down, and up again', async () => {
  const lab = await makeLab();
  for (const node of lab.nodes) await startIfupdown(node);
  const story = await beginStory(lab);
  for (const name of NAMES) {
    const node = lab.node(name);
    const from = Date.now();
    await node.run(['ifdown', 'eth1']);
    await story.changes(name === 'fw1' ? { fw1: 'none', fw2: 'all' } : { fw1: 'all', fw2: 'none' }, from);
    await story.answered();
    await node.run(['ifup', 'eth1']);
    await expectMended(node);
    await story.homeAgain();
    await story.steady();
  }
  await story.expectAllWell();
}, 120_000);
