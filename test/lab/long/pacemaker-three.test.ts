import { expect, test } from 'vitest';
import { bringUp } from '../cluster.ts';
import { flowsOfHomes } from '../flows.ts';
import { createLab } from '../labs.ts';
import {
  cutClusterLinks,
  formCluster,
  healClusterLinks,
  plansOf,
  setProperty,
  untilOnline,
} from '../pacemaker.ts';
import { untilPlaced } from '../placement.ts';
import { untilAnswered } from '../traffic/answered.ts';
import { Traffic } from '../traffic/traffic.ts';

const ALL = ['fw1', 'fw2', 'fw3'];
const BOUND_MS = 40_000;
/** Between two new connections: no port of a bucket is taken twice in this test. */
const SELDOM_MS = 100;

test('three nodes with quorum: one dies, one is cut off from the others, and both return', async () => {
  const lab = await createLab({ nodes: 3, cluster: { snat: true, manager: 'pacemaker' } });
  const cluster = plansOf(lab);
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'pacemaker', { cluster })));
  await formCluster(lab);
  await setProperty(lab.node('fw1'), 'no-quorum-policy', 'demote');
  await untilPlaced(lab, ALL, BOUND_MS);
  const traffic = await Traffic.start(lab);
  const flows = lab.clients.flatMap(({ plan }) => flowsOfHomes(plan, 3));
  traffic.add(flows.map((flow) => (flow.kind === 'connects' ? { ...flow, intervalMs: SELDOM_MS } : flow)));
  await traffic.ready();

  await lab.node('fw1').powerCut();
  await untilPlaced(lab, ['fw2', 'fw3'], BOUND_MS);
  await untilAnswered(traffic);
  await bringUp(lab.node('fw1'), 'pacemaker', { cluster });
  await untilPlaced(lab, ALL, BOUND_MS);
  await untilAnswered(traffic);

  await cutClusterLinks(lab.node('fw2'));
  await untilOnline(lab.node('fw1'), ['fw1', 'fw3']);
  await untilPlaced(lab, ['fw1', 'fw3'], BOUND_MS);
  await untilAnswered(traffic);
  await healClusterLinks(lab.node('fw2'));
  await untilOnline(lab.node('fw1'), ALL);
  await untilPlaced(lab, ALL, BOUND_MS);
  await untilAnswered(traffic);
  const verdicts = await traffic.stop();
  expect(verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
}, 240_000);
