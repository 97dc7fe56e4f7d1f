import { groupsOf } from '../../src/cluster/groups.ts';
import type { Lab } from './rig/lab.ts';
import { until } from './rig/wait.ts';

const BUCKETS = 64;

/**
 * The buckets that each node of a lab with 64 of them owns while only `alive` nodes serve, ascending: every group is the
 * first's in its order that serves.
 */
export const placementOf = (lab: Lab, alive: readonly string[]): ReadonlyMap<string, readonly number[]> => {
  const nodes = lab.nodes.map(({ plan }) => ({ name: plan.name, id: plan.id, sync: '', devices: {} }));
  const owners = groupsOf({ nodes, buckets: BUCKETS }).map(({ order, buckets }) => ({
    owner: order.find((name) => alive.includes(name)),
    buckets,
  }));
  return new Map(
    alive.map((name) => [
      name,
      owners
        .filter(({ owner }) => owner === name)
        .flatMap(({ buckets }) => buckets)
        .sort((one, other) => one - other),
    ]),
  );
};

/** Waits until the kernels' owned sets are exactly those of `placementOf`. Rejects after `boundMs`. */
export const untilPlaced = async (lab: Lab, alive: readonly string[], boundMs = 20_000): Promise<void> => {
  const wanted = placementOf(lab, alive);
  const target = JSON.stringify(lab.nodes.map(({ name }) => wanted.get(name) ?? []));
  await until(
    `${alive.join(' and ')} to serve: ${target}`,
    () => Promise.all(lab.nodes.map(async (node) => (await node.ownedBuckets()) ?? [])),
    boundMs,
    (sets) => JSON.stringify(sets) === target,
  );
};
