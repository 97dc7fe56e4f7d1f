import { expect, it } from 'vitest';
import { agentUp, bringUp, loseSync } from './cluster.ts';
import { flowsOfHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { untilPlaced } from './placement.ts';
import type { Lab } from './rig/lab.ts';
import { until } from './rig/wait.ts';
import { untilAnswered } from './traffic/answered.ts';
import { Traffic } from './traffic/traffic.ts';

const ALL = ['fw1', 'fw2', 'fw3'];
/** Between two new connections: no port of a bucket is taken twice in this test. Otherwise: long/full-range. */
const SELDOM_MS = 100;

it('three nodes: two fail in any order and return in any order, and no flow is lost', async () => {
  const lab = await createLab({ nodes: 3, cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived')));
  await untilPlaced(lab, ALL);
  const traffic = await Traffic.start(lab);
  const flows = lab.clients.flatMap(({ plan }) => flowsOfHomes(plan, 3));
  traffic.add(flows.map((flow) => (flow.kind === 'connects' ? { ...flow, intervalMs: SELDOM_MS } : flow)));
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

/** fw3 is frozen without its agent, and what the others send of its flows meanwhile is lost: nothing is sent again. */
const goesOnWithOldWindows = async (liberal: boolean): Promise<Traffic> => {
  const lab = await createLab({ nodes: 3, cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived')));
  await untilPlaced(lab, ALL);
  const fw3 = lab.node('fw3');
  const traffic = await Traffic.start(lab);
  const flows = lab.clients.flatMap(({ plan }) => flowsOfHomes(plan, 3));
  traffic.add(flows.filter(({ id, kind }) => id.includes('.fw3.') && (kind === 'busy' || kind === 'bulk')));
  await traffic.ready();
  await fw3.daemon('agent').kill('SIGKILL');
  await fw3.freeze();
  await untilAnswered(traffic);
  const sofar = bytesOf(traffic);
  await until('more than any window on every bulk flow', () => bytesOf(traffic) > sofar + 2e7, 15_000);
  if (!liberal) {
    // Whatever conntrackd writes it tracks liberally: a refresh that comes just now would save the connection.
    await Promise.all([lab.node('fw1'), lab.node('fw2')].map(loseSync));
  }
  await fw3.thaw();
  // The agent would set it again.
  await fw3.startAgent(liberal ? undefined : 'parts');
  await agentUp(fw3);
  if (!liberal) {
    await fw3.run(['sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_be_liberal=0']);
  }
  await untilPlaced(lab, ALL);
  return traffic;
};

const bytesOf = (traffic: Traffic): number =>
  Math.min(...traffic.snapshot().flatMap(({ kind, answered }) => (kind === 'bulk' ? [answered] : [])));

it('a node that has missed what became of its connections serves them all the same', async () => {
  const traffic = await goesOnWithOldWindows(true);
  await untilAnswered(traffic);
  expect((await traffic.stop()).filter(({ lost }) => lost)).toEqual([]);
}, 60_000);

it('if it held them to the windows that it knows, they would be lost', async () => {
  const traffic = await goesOnWithOldWindows(false);
  const lostKinds = () => traffic.snapshot().flatMap(({ lost, kind }) => (lost ? [kind] : []));
  await until('bulk flows to be lost', lostKinds, 15_000, (kinds) => kinds.includes('bulk'));
}, 60_000);
