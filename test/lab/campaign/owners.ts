import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';

const BUCKETS = Array.from({ length: 64 }, (_, bucket) => bucket);
/** A dead agent's groups are given up by keepalived's check, 3 s after its last beat at the earliest. */
const BOUND_MS = 20_000;
/** What nobody renews any more the kernel takes out after `timeouts.lease`, 30 s. */
const LEASE_BOUND_MS = 40_000;
/** Looks in a row that must agree. */
const LOOKS = 3;

/**
 * Waits until each bucket is in exactly one of the kernels of `connected`, and stays so.
 *
 * @param forsaken one of them has neither an agent nor a manager: only the lease ends what it owns
 */
export const untilOneOwnerEach = async (
  connected: readonly FirewallNode[],
  forsaken: boolean,
): Promise<void> => {
  const target = JSON.stringify(BUCKETS);
  let agreeing = 0;
  await until(
    `one owner for every bucket among ${connected.map(({ name }) => name).join(', ')}`,
    async () => {
      const sets = await Promise.all(connected.map(async (node) => (await node.ownedBuckets()) ?? []));
      const all = JSON.stringify(sets.flat().sort((one, other) => one - other));
      agreeing = all === target ? agreeing + 1 : 0;
      return agreeing >= LOOKS ? undefined : connected.map(({ name }, at) => `${name}: ${sets[at]?.length}`);
    },
    forsaken ? LEASE_BOUND_MS : BOUND_MS,
    (unsettled) => unsettled === undefined,
  );
};
