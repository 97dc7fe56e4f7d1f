import { homeOf } from '../flows.ts';
import type { Lab } from '../rig/lab.ts';
import { SERVER6 } from '../rig/plan.ts';
import { type FlowKind, type FlowSpec, PORTS } from '../traffic/flow.ts';

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

/**
 * Flows of every kind through every home that the clients' addresses reach, dealt out to the clients: those of every second client are
 * of IPv6.
 */
export const campaignFlows = (lab: Lab): FlowSpec[] => {
  const nodes = lab.nodes.length;
  return lab.clients.flatMap(({ plan }, index) => {
    const six = index % 2 === 1;
    const addresses = six ? plan.addresses6 : plan.addresses;
    const homes = new Map(addresses.toReversed().map((from) => [homeOf(from, nodes), from]));
    return [...homes].flatMap(([home, from]) =>
      KINDS.map((kind) => ({
        id: `${plan.name}.${home}.${kind}${six ? '6' : ''}`,
        kind,
        from,
        ...(six ? { to: { address: SERVER6, ports: PORTS } } : {}),
        ...(INTERVALS[kind] === undefined ? {} : { intervalMs: INTERVALS[kind] }),
        rate: BULK_RATE,
      })),
    );
  });
};
