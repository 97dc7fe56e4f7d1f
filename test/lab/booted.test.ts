import { expect, test } from 'vitest';
import { BootedFirewall } from './booted/booted-firewall.ts';
import { debianRoot } from './booted/debian-root.ts';
import { installByReadme, type Pair } from './booted/install.ts';
import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { until } from './rig/wait.ts';
import { untilAnswered } from './traffic/answered.ts';
import type { FlowSpec } from './traffic/flow.ts';
import { Traffic } from './traffic/traffic.ts';

/** A node that has booted gets its home back as soon as it holds the states. */
const HOME_MS = 30_000;

const HOMES = [
  Array.from({ length: 32 }, (_, index) => 2 * index),
  Array.from({ length: 32 }, (_, index) => 2 * index + 1),
];

const owned = async (nodes: Pair): Promise<unknown> =>
  Promise.all(nodes.map(async (node) => (await node.ownedBuckets()) ?? []));

/** Waits until each filters its home, nothing has failed in either, and neither warns of anything. */
const untilWell = async (nodes: Pair): Promise<void> => {
  await until(
    'the homes',
    () => owned(nodes),
    HOME_MS,
    (sets) => JSON.stringify(sets) === JSON.stringify(HOMES),
  );
  for (const node of nodes) {
    await until(
      `no warning of ${node.name}`,
      async () => JSON.parse(await node.shell('conntrack-ha status --json')).warnings,
      HOME_MS,
      (warnings: readonly string[]) => warnings.length === 0,
    );
    expect(await node.shell('systemctl --failed --plain --no-legend')).toBe('');
  }
};

const untilServesAll = (node: BootedFirewall): Promise<unknown> =>
  until(
    `${node.name} to serve all`,
    async () => (await node.ownedBuckets())?.length,
    10_000,
    (count) => count === 64,
  );

/** For minutes, and each connection leaves a state that keeps its port for two of them. */
const slowly = (spec: FlowSpec): FlowSpec => (spec.kind === 'connects' ? { ...spec, intervalMs: 300 } : spec);

test('README, step by step, on two machines with systemd; each reboots and loses its power, and no flow is lost', {
  timeout: 900_000,
}, async () => {
  const root = await debianRoot();
  const lab = await createLab({});
  const nodes = [
    new BootedFirewall(lab, lab.node('fw1').plan, root),
    new BootedFirewall(lab, lab.node('fw2').plan, root),
  ] as const;
  await installByReadme(nodes);
  await untilWell(nodes);

  const traffic = await Traffic.start(lab);
  traffic.add(lab.clients.flatMap(({ plan }) => flowsOfBothHomes(plan)).map(slowly));
  await traffic.ready();
  for (const [index, node] of nodes.entries()) {
    const other = nodes[1 - index] ?? node;
    await node.shutDown('reboot');
    await untilServesAll(other);
    await untilAnswered(traffic);
    await node.boot();
    await untilWell(nodes);
    await untilAnswered(traffic);
  }
  for (const [index, node] of nodes.entries()) {
    const other = nodes[1 - index] ?? node;
    await node.powerCut();
    await untilServesAll(other);
    await untilAnswered(traffic);
    await node.boot();
    await untilWell(nodes);
    await untilAnswered(traffic);
  }
  const verdicts = await traffic.stop();
  expect(verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
});
