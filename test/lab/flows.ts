import { addressWord } from '../../src/cluster/address.ts';
import { bucketOfWord } from '../../src/cluster/hash.ts';
import type { Lab } from './rig/lab.ts';
import { type ClientPlan, SEED } from './rig/plan.ts';
import type { FlowSpec } from './traffic/flow.ts';

const BUCKETS = 64;

/** The home of an inside address in a lab of two nodes: buckets go round the nodes. */
export const homeOf = (address: string): 'fw1' | 'fw2' =>
  bucketOfWord(addressWord(address), SEED, BUCKETS) % 2 === 0 ? 'fw1' : 'fw2';

/** A client's first address whose home is `home`. */
export const addressAt = ({ name, addresses }: ClientPlan, home: 'fw1' | 'fw2'): string => {
  const found = addresses.find((address) => homeOf(address) === home);
  if (found === undefined) {
    throw new RangeError(`no address of ${name} has its home at ${home}`);
  }
  return found;
};

/** One flow of each kind through each firewall. */
export const flowsOfBothHomes = (plan: ClientPlan): FlowSpec[] =>
  (['fw1', 'fw2'] as const).flatMap((home) => {
    const from = addressAt(plan, home);
    return (['busy', 'idle', 'udp', 'ping', 'bulk', 'connects'] as const).map((kind) => ({
      id: `${plan.name}.${home}.${kind}`,
      kind,
      from,
    }));
  });

/**
 * Those of all clients that outlive two owners. Two owners reset new translated connections, each not knowing the other's:
 * those are not among them.
 */
export const establishedFlows = (lab: Lab): FlowSpec[] =>
  lab.clients.flatMap(({ plan }) => flowsOfBothHomes(plan)).filter(({ kind }) => kind !== 'connects');
