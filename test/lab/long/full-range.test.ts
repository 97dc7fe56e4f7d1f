import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { bringUp } from '../cluster.ts';
import { flowsOfHomes } from '../flows.ts';
import { createLab } from '../labs.ts';
import { untilPlaced } from '../placement.ts';
import type { Lab } from '../rig/lab.ts';
import { until } from '../rig/wait.ts';
import { differences, flowCountOf } from '../tables.ts';
import { Traffic } from '../traffic/traffic.ts';

const ALL = ['fw1', 'fw2', 'fw3'];
/** Between two new connections of a flow, in milliseconds: all ports of its bucket are taken after ten seconds. */
const INTERVAL_MS = 10;
/** Ports of a bucket with 64 of them. */
const PORTS = 1008;
/** What differs for longer isn't on its way. */
const LASTING_MS = 2000;

/** What differs now and did two seconds ago. */
const lastingDifferences = async (lab: Lab): Promise<readonly string[]> => {
  const before = new Set(await differences(lab));
  await sleep(LASTING_MS);
  return (await differences(lab)).filter((text) => before.has(text));
};

test('replicas agree after each change of owner though every port is taken, and goes to another connection soon', async () => {
  const lab = await createLab({ nodes: 3, clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived')));
  await untilPlaced(lab, ALL);
  const traffic = await Traffic.start(lab);
  const flows = lab.clients.flatMap(({ plan }) => flowsOfHomes(plan, 3));
  traffic.add(
    flows.filter(({ kind }) => kind === 'connects').map((flow) => ({ ...flow, intervalMs: INTERVAL_MS })),
  );
  await traffic.ready();
  const full = ALL.length * PORTS;
  await until(
    'all ports to be taken',
    () => flowCountOf(lab.node('fw1')),
    30_000,
    (count) => count >= full,
  );
  for (const name of ['fw2', 'fw3']) {
    await lab.node(name).powerCut();
    await untilPlaced(
      lab,
      ALL.filter((other) => other !== name),
    );
    await until('replicas like the owners', () => lastingDifferences(lab), 20_000, agree);
    await bringUp(lab.node(name), 'keepalived');
    await untilPlaced(lab, ALL);
    await until('replicas like the owners', () => lastingDifferences(lab), 20_000, agree);
  }
  const verdicts = await traffic.stop();
  expect(verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
}, 180_000);

const agree = (found: readonly string[]): boolean => found.length === 0;
