import { expect, test } from 'vitest';
import { counted, watchAnnouncements } from './announcements.ts';
import { bringUp } from './cluster.ts';
import { addressAt } from './flows.ts';
import { createLab } from './labs.ts';
import type { ClusterOptions } from './rig/cluster-config.ts';
import type { Lab } from './rig/lab.ts';
import type { Machine } from './rig/machine.ts';
import { SERVER, SERVER6, SHARED, SHARED_MAC, SHARED6 } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares } from './shares.ts';

/** Another router's, that is gone. */
const OLD = '02:00:00:00:99:99';
/** What a cluster may take to be found, after it has begun to serve. */
const FOUND_MS = 2_000;
/** Three announcements, and a second more. */
const ALL_TOLD_MS = 5_000;

type Delivery = NonNullable<ClusterOptions['delivery']>;

interface Host {
  readonly machine: Machine;
  readonly shared: readonly string[];
  readonly mac: string;
}

const macOf = (side: 'inside' | 'outside', delivery: Delivery): string =>
  delivery === 'stealth' ? SHARED_MAC[side].replace('01', '02') : SHARED_MAC[side];

const labOf = (manager: 'none' | 'keepalived', delivery: Delivery): Promise<Lab> =>
  createLab({
    ip6: true,
    clients: 1,
    snooping: delivery === 'igmp',
    cluster: { snat: true, manager, delivery },
  });

/** The client and the server, and what they ask the cluster by. */
const hostsOf = (lab: Lab, delivery: Delivery): readonly Host[] => [
  {
    machine: lab.client('c1').machine,
    shared: [SHARED.inside, SHARED6.inside],
    mac: macOf('inside', delivery),
  },
  { machine: lab.server, shared: [SHARED.outside, SHARED6.outside], mac: macOf('outside', delivery) },
];

/** They believe for half a minute that the shared addresses are at `mac`. */
const mislead = async (hosts: readonly Host[], mac: string): Promise<void> => {
  for (const { machine, shared } of hosts) {
    await machine.ip(
      shared.map((address) => `neigh replace ${address} lladdr ${mac} dev eth0 nud reachable`),
    );
  }
};

/** The MACs that hosts have for the shared addresses. */
const believed = async (hosts: readonly Host[]): Promise<readonly string[]> => {
  const lines = await Promise.all(
    hosts.flatMap(({ machine, shared }) =>
      shared.map((address) => machine.run(['ip', 'neigh', 'show', address, 'dev', 'eth0'])),
    ),
  );
  return lines.map((line) => /lladdr (\S+)/.exec(line)?.[1] ?? 'none');
};

const rightOnes = (hosts: readonly Host[]): readonly string[] =>
  hosts.flatMap(({ mac, shared }) => shared.map(() => mac));

/** Whether the client reaches the server through either node and with either family. */
const reached = async (lab: Lab): Promise<readonly string[]> => {
  const { machine, plan } = lab.client('c1');
  const ways = (['fw1', 'fw2'] as const).flatMap((home) =>
    ([4, 6] as const).map((family) => [addressAt(plan, home, 2, family), family] as const),
  );
  const answers = await Promise.all(
    ways.map(([from, family]) =>
      machine.run(['ping', '-c1', '-W0.3', '-I', from, family === 4 ? SERVER : SERVER6]).then(
        () => '',
        () => from,
      ),
    ),
  );
  return answers.filter((from) => from !== '');
};

/** What has been begun to announce is announced by then. */
const allTold = async (): Promise<void> => {
  const since = Date.now();
  await until('all to be told', () => Date.now() > since + ALL_TOLD_MS, ALL_TOLD_MS + 1000);
};

const start = async (lab: Lab, manager: 'none' | 'keepalived', broken?: 'unannounced'): Promise<number> => {
  await Promise.all(lab.nodes.map((node) => bringUp(node, manager, { broken })));
  const { to } = await untilShares(lab, HOMES);
  return to;
};

test.each([
  ['none', 'multicast'],
  ['keepalived', 'stealth'],
  ['keepalived', 'igmp'],
] as const)(
  'manager %s, delivery %s: hosts that knew another router find the cluster',
  async (manager, delivery) => {
    const lab = await labOf(manager, delivery);
    const hosts = hostsOf(lab, delivery);
    await mislead(hosts, OLD);
    const served = await start(lab, manager);
    await until(
      'all to be reached',
      () => reached(lab),
      served + FOUND_MS - Date.now(),
      (ways) => ways.length === 0,
    );
    console.log(`${manager}, ${delivery}: reached ${Date.now() - served} ms after the last node's opening`);
    expect(await believed(hosts)).toEqual(rightOnes(hosts));
    for (const side of ['inside', 'outside'] as const) {
      const learnt = await lab.wire(side).machine.run(['bridge', 'fdb', 'show', 'br', 'br0']);
      expect(learnt).not.toContain(macOf(side, delivery));
      // It has learnt from the same frames who sent them.
      expect(learnt).toContain(`${lab.node('fw1').plan.links[side].mac} dev fw1`);
    }
  },
);

test('without announcements they go on asking the other router', async () => {
  const lab = await labOf('none', 'multicast');
  const hosts = hostsOf(lab, 'multicast');
  await mislead(hosts, OLD);
  const served = await start(lab, 'none', 'unannounced');
  await until('the time to pass', () => Date.now() > served + 2 * FOUND_MS, 3 * FOUND_MS);
  expect(await reached(lab)).toHaveLength(4);
  expect(await believed(hosts)).toEqual(rightOnes(hosts).map(() => OLD));
});

test("nodes don't have their kernels hear what their peers announce of the addresses that they share", async () => {
  const lab = await labOf('keepalived', 'multicast');
  await start(lab, 'keepalived');
  for (const node of lab.nodes) {
    const ignored = async (): Promise<readonly number[]> => {
      const rules = await node.run(['nft', 'list', 'table', 'netdev', 'conntrack_ha']);
      return [...rules.matchAll(/packets (\d+) bytes \d+ drop comment "announced by another node"/g)].map(
        ([, packets]) => Number(packets),
      );
    };
    // ARP and neighbour discovery, on either side.
    await until(
      'all to be ignored',
      ignored,
      10_000,
      (counts) => counts.length === 4 && counts.every(Boolean),
    );
  }
});

test('a leg that carries again is announced again', async () => {
  const lab = await labOf('none', 'multicast');
  await start(lab, 'none');
  const fw1 = lab.node('fw1');
  await until(
    'all to be reached',
    () => reached(lab),
    10_000,
    (ways) => ways.length === 0,
  );
  await allTold();
  await fw1.cutLink('inside');
  await until('the loss', async () => (await fw1.product(['status'])).includes('no carrier'), 5000);
  const said = await watchAnnouncements(lab);
  await fw1.healLink('inside');
  await until(
    'announcements',
    said,
    5000,
    ({ fw1 }) => fw1 !== undefined && fw1.inside.arp > 1 && fw1.inside.nd > 1,
  );
});

test('rules that are mended are announced again, by a node that serves something and no other', async () => {
  const lab = await labOf('keepalived', 'multicast');
  const hosts = hostsOf(lab, 'multicast');
  await start(lab, 'keepalived');
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  await allTold();
  await fw2.product(['drain']);
  await untilShares(lab, { fw1: 'all', fw2: 'none' });
  const said = await watchAnnouncements(lab);
  // Its kernel has answered whoever asked in that moment.
  await mislead(hosts.slice(0, 1), fw1.plan.links.inside.mac);
  await mislead(hosts.slice(1), fw1.plan.links.outside.mac);
  for (const node of [fw1, fw2]) {
    await node.run(['nft', 'flush', 'ruleset']);
  }
  await until(
    'the shared MACs',
    () => believed(hosts),
    FOUND_MS,
    (macs) => macs.join() === rightOnes(hosts).join(),
  );
  await allTold();
  expect(await said()).toEqual({ fw1: counted(3), fw2: counted(0) });
});
