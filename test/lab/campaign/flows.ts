import { homeOf } from '../flows.ts';
import type { Lab } from '../rig/lab.ts';
import type { FlowKind, FlowSpec } from '../traffic/flow.ts';

const KINDS: readonly FlowKind[] = ['busy', 'idle', 'udp', 'ping', 'bulk', 'connects'];
/**
 * Slower than usual, since it goes on for long: milliseconds. A bucket translates into 1008 ports, and a connection that has
 * ended keeps its own for the 120 s of TIME_WAIT.
 */
const INTERVALS: Partial<Readonly<Record<FlowKind, number>>> = {
  busy: 50,
  udp: 40,
  ping: 500,
  connects: 200,
};
const BULK_RATE = 500_000;

/** Flows of every kind through every home that the clients' addresses reach, dealt out to the clients. */
export const campaignFlows = (lab: Lab): FlowSpec[] => {
  const nodes = lab.nodes.length;
  return lab.clients.flatMap(({ plan }) => {
    const homes = new Map(plan.addresses.toReversed().map((from) => [homeOf(from, nodes), from]));
    return [...homes].flatMap(([home, from]) =>
      KINDS.map((kind) => ({
        id: `${plan.name}.${home}.${kind}`,
        kind,
        from,
        ...(INTERVALS[kind] === undefined ? {} : { intervalMs: INTERVALS[kind] }),
        rate: BULK_RATE,
      })),
    );
  });
};
