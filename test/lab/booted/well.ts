import type { Warning } from '../../../src/cluster/warning.ts';
import { ofNow } from '../no-warning.ts';
import { until } from '../rig/wait.ts';
import type { Pair } from './install.ts';

/** A node that has booted gets its home back as soon as it holds the states. */
export const HOME_MS = 30_000;

const HOMES = [
  Array.from({ length: 32 }, (_, index) => 2 * index),
  Array.from({ length: 32 }, (_, index) => 2 * index + 1),
];

const owned = async (nodes: Pair): Promise<unknown> =>
  Promise.all(nodes.map(async (node) => (await node.ownedBuckets()) ?? []));

/** Waits until each filters its home. */
export const untilHome = (nodes: Pair): Promise<unknown> =>
  until(
    'the homes',
    () => owned(nodes),
    HOME_MS,
    (sets) => JSON.stringify(sets) === JSON.stringify(HOMES),
  );

/** Waits until each filters its home, nothing has failed in either, and neither warns of anything. */
export const untilWell = async (nodes: Pair): Promise<void> => {
  await untilHome(nodes);
  for (const node of nodes) {
    await until(
      `no warning of ${node.name}`,
      async () => JSON.parse(await node.shell('conntrack-ha status --json')).warnings,
      HOME_MS,
      (warnings: readonly Warning[]) => ofNow(warnings).length === 0,
    );
    const failed = await node.shell('systemctl --failed --plain --no-legend');
    if (failed !== '') {
      throw new Error(`failed on ${node.name}: ${failed}`);
    }
  }
};
