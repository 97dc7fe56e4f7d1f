import { addressWord } from '../../src/cluster/address.ts';
import { bucketOf as bucketOfAddress } from '../../src/cluster/hash.ts';
import type { Lab } from './rig/lab.ts';
import { type ClientPlan, SEED } from './rig/plan.ts';
import type { FlowSpec } from './traffic/flow.ts';

const BUCKETS = 64;

/** The bucket of an inside address; in a lab with 64 of them if nothing else is said. */
export const bucketOf = (address: string, buckets = BUCKETS): number =>
  bucketOfAddress(addressWord(address), SEED, buckets);

/** The home of an inside address: buckets go round the nodes. */
export const homeOf = (address: string, nodes = 2, buckets = BUCKETS): string =>
  `fw${(bucketOf(address, buckets) % nodes) + 1}`;

/** A client's first address whose home is `home`. */
export const addressAt = (
  { name, addresses }: ClientPlan,
  home: string,
  nodes = 2,
  buckets = BUCKETS,
): string => {
  const found = addresses.find((address) => homeOf(address, nodes, buckets) === home);
  if (found === undefined) {
    throw new RangeError(`no address of ${name} has its home at ${home}`);
  }
  return found;
};

/** One flow of each kind through each of so many firewalls. */
export const flowsOfHomes = (plan: ClientPlan, nodes: number, buckets = BUCKETS): FlowSpec[] =>
  Array.from({ length: nodes }, (_, index) => `fw${index + 1}`).flatMap((home) => {
    const from = addressAt(plan, home, nodes, buckets);
    return (['busy', 'idle', 'udp', 'ping', 'bulk', 'connects'] as const).map((kind) => ({
      id: `${plan.name}.${home}.${kind}`,
      kind,
      from,
    }));
  });

/** One flow of each kind through each of two firewalls. */
export const flowsOfBothHomes = (plan: ClientPlan, buckets = BUCKETS): FlowSpec[] =>
  flowsOfHomes(plan, 2, buckets);

/**
 * Those of all clients that outlive two owners. Two owners reset new translated connections, each not knowing the other's:
 * those are not among them.
 */
export const establishedFlows = (lab: Lab): FlowSpec[] =>
  lab.clients
    .flatMap(({ plan }) => flowsOfBothHomes(plan, lab.buckets))
    .filter(({ kind }) => kind !== 'connects');
