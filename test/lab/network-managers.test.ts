import { expect, test } from 'vitest';
import { bringUp, restartAgent } from './cluster.ts';
import { patientFlows } from './flows.ts';
import { createLab } from './labs.ts';
import { LogTail } from './log-tail.ts';
import { AddressWatch } from './network-managers/address-watch.ts';
import { startIfupdown } from './network-managers/ifupdown.ts';
import { generateByNetplan } from './network-managers/netplan.ts';
import { hasOwnAddresses, Networkd, writeNetworkFiles } from './network-managers/networkd.ts';
import { expectOwnSources } from './network-managers/own-sources.ts';
import { TAKEN } from './others.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';
import { warningTexts } from './warnings.ts';

const NAMES = ['fw1', 'fw2'] as const;
/** Whatever others change is put back within a second. */
const MENDED_MS = 1000;

const makeLab = async (): Promise<Lab> => {
  const lab = await createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => node.boot()));
  return lab;
};

/** One client's flows of both families through each of two firewalls. */
const beginStory = (lab: Lab): Promise<Story> => {
  const { plan } = lab.client('c1');
  return Story.begin(lab, 'keepalived', patientFlows(plan));
};

const SHARED_ADDRESSES = ['192.168.0.5/32', '192.168.1.5/32', 'fd00:1::5/64', 'fd00:9::5/64'];

/** Waits until a node has all that is its own and the cluster's, and warns of nothing. */
const expectMended = async (node: FirewallNode): Promise<void> => {
  await until(
    `all parts on ${node.name}`,
    async () => {
      const there = await Promise.all(TAKEN.map(({ isThere }) => isThere(node)));
      return TAKEN.filter((_, index) => !there[index]).map(({ what }) => what);
    },
    5000,
    (missing) => missing.length === 0,
  );
  await until(`the own addresses of ${node.name}`, () => hasOwnAddresses(node), 5000);
  await expectOwnSources(node);
  await until(
    `no warning of ${node.name}`,
    () => warningTexts(node),
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
      const watch = await AddressWatch.start(node);
      await daemons.get(name)?.restart();
      await expectMended(node);
      await story.answered();
      await write(node);
      const from = Date.now();
      await daemons.get(name)?.reconfigure();
      await expectMended(node);
      story.note({ from, to: Date.now() });
      const gone = await watch.gone(SHARED_ADDRESSES);
      console.log(`${name}: shared addresses gone for up to ${Math.max(...gone)} ms`);
      expect(Math.min(...gone)).toBeGreaterThan(0);
      expect(Math.max(...gone)).toBeLessThan(MENDED_MS);
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

test('networkd takes the own addresses with the carrier, and gives them back behind the shared ones', async () => {
  const lab = await makeLab();
  for (const node of lab.nodes) {
    await writeNetworkFiles(node);
    await Networkd.start(node);
  }
  const story = await beginStory(lab);
  const fw1 = lab.node('fw1');
  const from = Date.now();
  await fw1.cutLink('inside');
  await story.changes({ fw1: 'none', fw2: 'all' }, from);
  await until('no own address', async () => !(await hasOwnAddresses(fw1)), 5000);
  await fw1.healLink('inside');
  await expectMended(fw1);
  await story.homeAgain();
  await story.steady();
  // That one is heard: keepalived would take a shared address for good as the source of what it sends.
  expect(await warningTexts(lab.node('fw2'))).toEqual([]);
  await story.expectAllWell();
}, 60_000);

test('without the watch, what networkd has taken stays away', async () => {
  const lab = await makeLab();
  const fw1 = lab.node('fw1');
  await writeNetworkFiles(fw1);
  const networkd = await Networkd.start(fw1);
  await bringUp(fw1, 'none');
  await restartAgent(fw1, 'parts');
  await networkd.reconfigure();
  const taken = Date.now();
  await until('more than a second', () => Date.now() > taken + 2 * MENDED_MS, 5000);
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

test('"sysctl --system" sets what the cluster needs otherwise', async () => {
  const lab = await makeLab();
  const fw1 = lab.node('fw1');
  await bringUp(fw1, 'none');
  await fw1.writeConfiguration(
    '/etc/sysctl.d/90-server.conf',
    'net.netfilter.nf_conntrack_tcp_loose = 1\nnet.netfilter.nf_conntrack_tcp_be_liberal = 0\n',
  );
  const log = new LogTail(fw1);
  await log.forget();
  // What isn't a network's own is the machine's that the lab runs on.
  const set = await fw1.run(['sysctl', '--system', '--pattern', String.raw`^net\.netfilter\.`]);
  const from = Date.now();
  expect(set).toContain('nf_conntrack_tcp_loose = 1');
  const names = ['net.netfilter.nf_conntrack_tcp_loose', 'net.netfilter.nf_conntrack_tcp_be_liberal'];
  await until(
    'the settings again',
    () => fw1.run(['sysctl', '-n', ...names]),
    5000,
    (values) => values === '0\n1',
  );
  expect(Date.now() - from).toBeLessThan(MENDED_MS);
  await until('more than a second', () => Date.now() > from + 2 * MENDED_MS, 5000);
  expect((await log.warnings()).filter((line) => line.includes('sysctl'))).toEqual([
    expect.stringMatching(/tcp_loose=0, .*tcp_be_liberal=1 was missing for up to 0\.\d s; put back$/),
  ]);
}, 30_000);
