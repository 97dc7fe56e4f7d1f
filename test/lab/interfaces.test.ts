import { expect, test } from 'vitest';
import { establishedFlows } from './flows.ts';
import { createLab } from './labs.ts';
import type { Lab } from './rig/lab.ts';
import type { Machine } from './rig/machine.ts';
import type { FirewallNode } from './rig/node.ts';
import { planClient, SERVER } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { HOMES, type Shares, untilShares, watchOwned } from './shares.ts';
import { Story } from './story.ts';

type NodeName = 'fw1' | 'fw2';
type DataSide = 'inside' | 'outside';

const NAMES = ['fw1', 'fw2'] as const;
const DATA_SIDES = ['inside', 'outside'] as const;

const WITHOUT: Readonly<Record<NodeName, Shares>> = {
  fw1: { fw1: 'none', fw2: 'all' },
  fw2: { fw1: 'all', fw2: 'none' },
};

const PROBE = { inside: planClient(1).addresses[0] ?? '', outside: SERVER };

/** Loses something at a node, and waits until the kernels say that the peer owns all: milliseconds. */
const timeToMove = async (story: Story, name: NodeName, lose: () => Promise<unknown>): Promise<number> => {
  const from = Date.now();
  await lose();
  const { to } = await untilShares(story.lab, WITHOUT[name]);
  story.note({ from, to });
  return to - from;
};

const setLink = (node: FirewallNode, side: DataSide, state: 'up' | 'down'): Promise<string> =>
  node.run(['ip', 'link', 'set', node.plan.links[side].device, state]);

/** ICMP "destination unreachable" messages that a machine has received (RFC 2011, icmpInDestUnreachs). */
const unreachables = async (machine: Machine): Promise<number> => {
  const text = await machine.run(['cat', '/proc/net/snmp']);
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('Icmp:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('InDestUnreachs')]);
};

test.each(DATA_SIDES)('%s lost on one node: the other serves all within a second', async (side) => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived');
  for (const name of NAMES) {
    const node = lab.node(name);
    const byPort = await timeToMove(story, name, () => node.cutLink(side));
    console.log(`${name} ${side}, the switch's port: ${byPort} ms`);
    expect(byPort).toBeLessThan(1000);
    await story.answered();
    await node.healLink(side);
    await story.homeAgain();
    await story.answered();

    const inNode = await timeToMove(story, name, () => setLink(node, side, 'down'));
    console.log(`${name} ${side}, down in the node: ${inNode} ms`);
    expect(inNode).toBeLessThan(1000);
    await story.answered();
    await setLink(node, side, 'up');
    await story.homeAgain();
    await story.answered();
  }
  // "Network unreachable" ends a connection that is just being made, though the other node reaches it.
  expect(await Promise.all(lab.clients.map(({ machine }) => unreachables(machine)))).toEqual([0, 0]);
  await story.steady();
  await story.expectAllWell();
});

test('a switch that restarts moves nothing', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived');
  const watches = await Promise.all(lab.nodes.map(watchOwned));
  for (const side of DATA_SIDES) {
    await lab.restartSwitch(side, 1500);
    await story.answered();
    await untilAllReady(lab);
  }
  expect(await Promise.all(watches.map((changes) => changes()))).toEqual([[], []]);
  await story.expectAllWell();
});

test('with a probe, a dead port that keeps the carrier is found', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived', probe: PROBE } });
  const story = await Story.begin(lab, 'keepalived');
  for (const [name, side] of [
    ['fw1', 'outside'],
    ['fw2', 'inside'],
  ] as const) {
    const node = lab.node(name);
    const moved = await timeToMove(story, name, () => node.deafen(side));
    console.log(`${name} ${side}, dead with carrier: ${moved} ms`);
    expect(moved).toBeLessThan(3500);
    await story.answered();
    await node.undeafen(side);
    await story.homeAgain();
    await story.answered();
  }
  await story.steady();
  await story.expectAllWell();
});

test('without one it is not, and flows are lost', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const story = await Story.begin(lab, 'keepalived');
  const watches = await Promise.all(lab.nodes.map(watchOwned));
  await lab.node('fw1').deafen('outside');
  const busy = story.traffic.snapshot().filter(({ id, kind }) => id.includes('.fw1.') && kind === 'busy');
  await until(
    'the flows of fw1 to be lost',
    () => busy.map(({ id }) => story.traffic.flow(id).lost),
    12_000,
    (lost) => lost.every(Boolean),
  );
  expect(await Promise.all(watches.map((changes) => changes()))).toEqual([[], []]);
});

test('a heartbeat cable: the power cut of one node takes the carrier of the other', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived', heartbeat: 'eth3' } });
  const story = await Story.begin(lab, 'keepalived');
  const survivor = lab.node('fw2');
  const from = Date.now();
  await Promise.all([lab.node('fw1').powerCut(), survivor.cutLink('sync')]);
  const { to } = await untilShares(lab, { fw1: 'off', fw2: 'all' });
  story.note({ from, to });
  console.log(`heartbeat cable, power cut: ${to - from} ms`);
  expect(to - from).toBeLessThan(2000);
  await story.answered();
  // It says FAULT, for want of a carrier: what it does it does without keepalived.
  expect(await survivor.daemon('keepalived').output()).toMatch(/FAULT/);
  await survivor.healLink('sync');
  await story.comeBack('fw1');
  await story.steady();
  await story.expectAllWell();
});

test('a heartbeat cable pulled out: both nodes serve, until it is back', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived', heartbeat: 'eth3' } });
  const story = await Story.begin(lab, 'keepalived', establishedFlows(lab));
  const from = Date.now();
  await Promise.all(lab.nodes.map((node) => node.cutLink('sync')));
  await untilShares(lab, { fw1: 'all', fw2: 'all' });
  await story.answered();
  const healed = Date.now();
  await Promise.all(lab.nodes.map((node) => node.healLink('sync')));
  const { to } = await untilShares(lab, HOMES);
  story.note({ from, to });
  console.log(`heartbeat cable back: one owner after ${to - healed} ms`);
  expect(to - healed).toBeLessThan(2000);
  await untilAllReady(lab);
  await story.steady();
  await story.expectAllWell();
});

/** Waits until every node holds every state and warns of nothing. */
const untilAllReady = async (lab: Lab): Promise<void> => {
  await until(
    'nodes that are well',
    () =>
      Promise.all(
        lab.nodes.map(async (node) => {
          const status: {
            warnings: readonly unknown[];
            groups: readonly { name: string; synced: boolean }[];
          } = JSON.parse(await node.product(['status', '--json']));
          const unsynced = status.groups.filter(({ synced }) => !synced).map(({ name }) => name);
          return [...status.warnings, ...unsynced];
        }),
      ),
    15_000,
    (complaints) => complaints.flat().length === 0,
  );
};
