import { parseAddress } from '../../src/cluster/address.ts';
import { bucketOf as bucketOfAddress } from '../../src/cluster/hash.ts';
import type { Lab } from './rig/lab.ts';
import { type ClientPlan, SEED, SERVER6 } from './rig/plan.ts';
import { type FlowKind, type FlowSpec, PORTS } from './traffic/flow.ts';

const BUCKETS = 64;

/** The bucket of an inside address; in a lab with 64 of them if nothing else is said. */
export const bucketOf = (address: string, buckets = BUCKETS): number =>
  bucketOfAddress(parseAddress(address), SEED, buckets);

/** The home of an inside address: buckets go round the nodes. */
export const homeOf = (address: string, nodes = 2, buckets = BUCKETS): string =>
  `fw${(bucketOf(address, buckets) % nodes) + 1}`;

/** A client's first address of a family whose home is `home`. */
export const addressAt = (
  plan: ClientPlan,
  home: string,
  nodes = 2,
  family: 4 | 6 = 4,
  buckets = BUCKETS,
): string => {
  const addresses = family === 4 ? plan.addresses : plan.addresses6;
  const found = addresses.find((address) => homeOf(address, nodes, buckets) === home);
  if (found === undefined) {
    throw new RangeError(`no address of ${plan.name} has its home at ${home}`);
  }
  return found;
};

export const KINDS: readonly FlowKind[] = ['busy', 'idle', 'udp', 'ping', 'bulk', 'connects'];

/** One flow of each kind through each of so many firewalls; those of IPv6 have a 6 after their kind: `c1.fw1.busy6`. */
export const flowsOfHomes = (
  plan: ClientPlan,
  nodes: number,
  family: 4 | 6 = 4,
  buckets = BUCKETS,
): FlowSpec[] =>
  Array.from({ length: nodes }, (_, index) => `fw${index + 1}`).flatMap((home) => {
    const from = addressAt(plan, home, nodes, family, buckets);
    return KINDS.map((kind) => ({
      id: `${plan.name}.${home}.${kind}${family === 6 ? '6' : ''}`,
      kind,
      from,
      ...(family === 6 ? { to: { address: SERVER6, ports: PORTS } } : {}),
    }));
  });

/** One flow of each kind through each of two firewalls. */
export const flowsOfBothHomes = (plan: ClientPlan, family: 4 | 6 = 4, buckets = BUCKETS): FlowSpec[] =>
  flowsOfHomes(plan, 2, family, buckets);

/** Milliseconds between two connections whose ports last: a bucket has 1008, and an ended connection keeps its one for 120 s. */
const PATIENT_MS = 150;

/** One flow of each kind and family through each of two firewalls, for tests that take longer than the ports of their buckets would. */
export const patientFlows = (plan: ClientPlan): FlowSpec[] =>
  [...flowsOfBothHomes(plan), ...flowsOfBothHomes(plan, 6)].map((flow) =>
    flow.kind === 'connects' ? { ...flow, intervalMs: PATIENT_MS } : flow,
  );

/**
 * Those of all clients that outlive two owners. Two owners reset new translated connections, each not knowing the other's:
 * those are not among them.
 */
export const establishedFlows = (lab: Lab): FlowSpec[] =>
  lab.clients
    .flatMap(({ plan }) => flowsOfBothHomes(plan, 4, lab.buckets))
    .filter(({ kind }) => kind !== 'connects');
