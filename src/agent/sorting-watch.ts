import { parseAddress } from '../cluster/address.ts';
import { hashingOf } from '../cluster/hashing.ts';
import { replicatedFlows } from '../cluster/replicated.ts';
import type { ClusterConfig } from '../config/types.ts';
import { localAddresses } from '../kernel/links.ts';
import type { Sorting } from '../transitions/edges.ts';

/** Between two looks. */
const LOOK_MS = 10_000;

/** How flows are sorted. The node's own addresses change rarely, and a flow of its own must not be taken for one that passes through. */
export const watchSorting = async (
  config: ClusterConfig,
): Promise<{ current: () => Sorting; close: () => void }> => {
  const hashing = hashingOf(config);
  const look = async (): Promise<Sorting> => {
    const local = await localAddresses([4, 6]);
    return {
      hashing,
      replicated: replicatedFlows(
        config,
        local.map(({ address }) => parseAddress(address)),
      ),
    };
  };
  let sorting = await look();
  const timer = setInterval(() => {
    look().then(
      (found) => {
        sorting = found;
      },
      () => {},
    );
  }, LOOK_MS);
  return { current: () => sorting, close: () => clearInterval(timer) };
};
