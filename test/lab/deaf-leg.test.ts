import { expect, test } from 'vitest';
import { bringUp, isSynced, restartAgent } from './cluster.ts';
import { statusOf } from './command-output.ts';
import { patientFlows } from './flows.ts';
import { createLab } from './labs.ts';
import { unknownFrames, watchLegFrames } from './leg-frames.ts';
import { untilNoWarning } from './no-warning.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { SHARED_MAC } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { HOMES, readShares, type Shares, untilShares, watchOwned } from './shares.ts';
import { Story } from './story.ts';
import { Traffic } from './traffic/traffic.ts';

type Name = 'fw1' | 'fw2';

const SIDES = ['inside', 'outside'] as const;
type Side = (typeof SIDES)[number];

const DEVICE: Readonly<Record<Side, string>> = { inside: 'eth1', outside: 'eth2' };
const WITHOUT: Readonly<Record<Name, Shares>> = {
  fw1: { fw1: 'none', fw2: 'all' },
  fw2: { fw1: 'all', fw2: 'none' },
};
/** The frames by which the agents know that they hear each other. */
const FRAMES = 'ether type 0x88b5';

const labOf = (): Promise<Lab> =>
  createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'keepalived' } });

const begun = (lab: Lab): Promise<Story> =>
  Story.begin(lab, 'keepalived', patientFlows(lab.client('c1').plan));

/** `code object` of each warning of a node. */
const warned = async (node: FirewallNode): Promise<readonly string[]> =>
  (await statusOf(node)).warnings.map(({ code, object }) => `${code} ${object}`);

const untilWarned = (node: FirewallNode, warnings: readonly string[]): Promise<unknown> =>
  until(
    `${node.name} to warn of ${warnings}`,
    () => warned(node),
    5000,
    (seen) => seen.join() === warnings.join(),
  );

/** What each node hears of its peer, leg by leg. */
const untilHeard = async (lab: Lab): Promise<void> => {
  await until(
    'every leg to be heard',
    () => Promise.all(lab.nodes.map(async (node) => (await statusOf(node)).legs)),
    10_000,
    (all) =>
      all
        .flat()
        .every(
          ({ hearing, heard }) =>
            hearing === 'heard' && Object.values(heard).every((age) => age !== null && age < 1500),
        ),
  );
};

/** The switch gives a node no frame to the shared MAC, and the peer takes over; returns how it gives them again. */
const deafen = async (story: Story, name: Name, side: Side): Promise<() => Promise<void>> => {
  const from = Date.now();
  const give = await story.lab.wire(side).withhold([name], `ether daddr ${SHARED_MAC[side]}`);
  const { to } = await untilShares(story.lab, WITHOUT[name]);
  story.note({ from, to });
  console.log(`${name} ${side}, deaf to the shared MAC: the peer has all after ${to - from} ms`);
  expect(to - from).toBeLessThan(3000);
  return give;
};

test('a switch that no longer delivers the shared MAC to a node: its peer takes over, and it comes back', async () => {
  const lab = await labOf();
  const story = await begun(lab);
  await untilHeard(lab);
  const frames = await watchLegFrames(lab);
  for (const [name, side] of [
    ['fw1', 'inside'],
    ['fw2', 'outside'],
  ] as const) {
    const other = name === 'fw1' ? 'fw2' : 'fw1';
    const give = await deafen(story, name, side);
    await story.answered();
    await untilWarned(lab.node(name), [`leg-deaf ${DEVICE[side]}`]);
    expect((await statusOf(lab.node(name))).legs.find((leg) => leg.name === DEVICE[side])?.hearing).toBe(
      'deaf',
    );
    expect(await warned(lab.node(other))).toEqual([]);
    if (side === 'inside') {
      // An agent that begins on a deaf leg gets nothing.
      const watch = await watchOwned(lab.node(name));
      await restartAgent(lab.node(name));
      await untilWarned(lab.node(name), [`leg-deaf ${DEVICE[side]}`]);
      await until('it to be synced', () => isSynced(lab.node(name)), 10_000);
      const ready = Date.now();
      await until('the time to pass', () => Date.now() > ready + 1500, 3000);
      expect(await watch()).toEqual([]);
    }
    await give();
    await story.homeAgain();
    await untilNoWarning(lab.nodes);
  }
  await story.steady();
  await story.expectAllWell();
  const { byNode, byOthers, seconds } = await frames();
  // One a second on each leg; more only while one was deaf.
  for (const count of byNode) {
    expect(count).toBeGreaterThan(seconds * 0.8);
    expect(count).toBeLessThan(seconds * 2 + 30);
  }
  expect(byOthers).toBe(0);
  for (const node of lab.nodes) {
    expect(await unknownFrames(node)).toEqual([0, 0]);
  }
  for (const side of SIDES) {
    const learnt = await lab.wire(side).machine.run(['bridge', 'fdb', 'show', 'br', 'br0']);
    expect(learnt).not.toContain(SHARED_MAC[side]);
  }
}, 90_000);

test('nobody hears anybody, as the switches drop the frames: it is said, and nothing moves', async () => {
  const lab = await labOf();
  const story = await begun(lab);
  await untilHeard(lab);
  const shares = await readShares(lab);
  const give = await Promise.all(SIDES.map((side) => lab.wire(side).withhold(['fw1', 'fw2'], FRAMES)));
  for (const node of lab.nodes) {
    await untilWarned(node, ['leg-unheard eth1', 'leg-unheard eth2']);
  }
  const said = Date.now();
  await until(
    'the time to pass',
    async () => {
      expect(await readShares(lab)).toBe(shares);
      return Date.now() > said + 3000;
    },
    5000,
  );
  await Promise.all(give.map((undo) => undo()));
  await untilNoWarning(lab.nodes);
  await untilHeard(lab);
  expect(await readShares(lab)).toBe(shares);
  await story.steady();
  await story.expectAllWell();
}, 60_000);

test('packets no longer come in on a leg, though the frames do: the node says so, with its peer’s count', async () => {
  const lab = await labOf();
  const story = await begun(lab);
  await untilNoWarning(lab.nodes);
  const fw2 = lab.node('fw2');
  const from = Date.now();
  const give = await lab
    .wire('outside')
    .withhold(['fw2'], `ether daddr ${SHARED_MAC.outside} ether type { ip, ip6 }`);
  await untilWarned(fw2, ['leg-silent eth2']);
  console.log(`said after ${Date.now() - from} ms`);
  const [warning] = (await statusOf(fw2)).warnings;
  expect(warning?.text).toMatch(/^eth2: no packet to \S+ has come in for \d+ s, and \d+ have at fw1: /);
  await until(
    'it to be in the log',
    () => fw2.daemon('agent').output(),
    3000,
    (log) => log.includes('[leg-silent]'),
  );
  expect(await warned(lab.node('fw1'))).toEqual([]);
  const to = Date.now();
  await give();
  await untilNoWarning(lab.nodes);
  story.note({ from, to });
  await story.answered();
}, 60_000);

test('without the frames nobody notices, and the deaf node’s half of the flows is dead', async () => {
  const lab = await labOf();
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived', { broken: 'unproven' })));
  await untilShares(lab, HOMES);
  const traffic = await Traffic.start(lab);
  traffic.add(patientFlows(lab.client('c1').plan).filter(({ kind }) => kind === 'busy'));
  await traffic.ready();
  const shares = await readShares(lab);
  await lab.wire('inside').withhold(['fw1'], `ether daddr ${SHARED_MAC.inside}`);
  const of = (name: Name) =>
    traffic
      .snapshot()
      .filter(({ id }) => id.includes(`.${name}.`))
      .map(({ id }) => traffic.flow(id).lost);
  await until(
    'the flows of fw1 to be lost',
    () => of('fw1'),
    12_000,
    (lost) => lost.length === 2 && lost.every(Boolean),
  );
  expect(of('fw2')).toEqual([false, false]);
  expect(await readShares(lab)).toBe(shares);
  expect(await warned(lab.node('fw1'))).toEqual([]);
}, 60_000);
