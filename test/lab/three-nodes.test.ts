import { expect, it } from 'vitest';
import { bringUp } from './cluster.ts';
import { flowsOfHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { untilPlaced } from './placement.ts';
import type { Lab } from './rig/lab.ts';
import { untilAnswered } from './traffic/answered.ts';
import { Traffic } from './traffic/traffic.ts';

const ALL = ['fw1', 'fw2', 'fw3'];

it('three nodes: two fail in any order and return in any order, and no flow is lost', async () => {
  const lab = await createLab({ nodes: 3, cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived')));
  await untilPlaced(lab, ALL);
  const traffic = await Traffic.start(lab);
  traffic.add(lab.clients.flatMap(({ plan }) => flowsOfHomes(plan, 3)));
  await traffic.ready();
  for (const [first, second, back, last] of [
    ['fw1', 'fw2', 'fw1', 'fw2'],
    ['fw3', 'fw2', 'fw2', 'fw3'],
  ] as const) {
    await fail(
      lab,
      traffic,
      first,
      ALL.filter((name) => name !== first),
    );
    await fail(
      lab,
      traffic,
      second,
      ALL.filter((name) => name !== first && name !== second),
    );
    await bringUp(lab.node(back), 'keepalived');
    await untilPlaced(
      lab,
      ALL.filter((name) => name !== last),
    );
    await bringUp(lab.node(last), 'keepalived');
    await untilPlaced(lab, ALL);
    await untilAnswered(traffic);
  }
  const verdicts = await traffic.stop();
  expect(verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
}, 180_000);

const fail = async (lab: Lab, traffic: Traffic, name: string, alive: readonly string[]): Promise<void> => {
  await lab.node(name).powerCut();
  await untilPlaced(lab, alive);
  await untilAnswered(traffic);
};

it('three nodes without the states of the one that fails: its flows are lost', async () => {
  const lab = await createLab({ nodes: 3, cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(
    lab.nodes.map((node) =>
      bringUp(node, 'keepalived', { broken: node.name === 'fw1' ? 'sync' : undefined }),
    ),
  );
  await untilPlaced(lab, ALL);
  const traffic = await Traffic.start(lab);
  const flows = lab.clients.flatMap(({ plan }) => flowsOfHomes(plan, 3));
  traffic.add(flows.filter(({ kind }) => kind === 'busy'));
  await traffic.ready();
  await lab.node('fw1').powerCut();
  await untilPlaced(lab, ['fw2', 'fw3']);
  const verdicts = await traffic.stop();
  expect(verdicts.filter(({ lost }) => lost).map(({ id }) => id)).toEqual(['c1.fw1.busy', 'c2.fw1.busy']);
}, 60_000);
