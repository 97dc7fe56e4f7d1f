import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { Story } from './story.ts';
import { setTimeouts, untilSameTables } from './tables.ts';
import type { FlowSpec } from './traffic/flow.ts';

/** Seconds: what ends is gone soon, and what lives on has a packet in that time. */
const FLEETING = {
  udp_timeout: 3,
  udp_timeout_stream: 3,
  tcp_timeout_fin_wait: 4,
  tcp_timeout_close_wait: 4,
  tcp_timeout_last_ack: 2,
  tcp_timeout_time_wait: 2,
  tcp_timeout_close: 2,
} as const;

/** Switches a node on, with timeouts so short that what ends is gone soon. */
export const bootFleeting = async (node: FirewallNode): Promise<void> => {
  await node.boot();
  await setTimeouts(node, FLEETING);
};

/** A lab of two such nodes, without a manager. */
export const createFleetingLab = async (): Promise<Lab> => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  await Promise.all(lab.nodes.map(bootFleeting));
  return lab;
};

/** Flows of every kind that is replicated under SNAT; the new connections come so seldom that the tables can be compared. */
export const replicatedFlowsOf = (lab: Lab): readonly FlowSpec[] =>
  lab.clients
    .flatMap(({ plan }) => flowsOfBothHomes(plan))
    .filter(({ kind }) => kind !== 'ping')
    .map((flow) => (flow.kind === 'connects' ? { ...flow, intervalMs: 500 } : flow));

/**
 * Takes the power from one node and the other in turn, `count` times in all, under flows that live on and flows that come
 * and go; then no flow is lost, and the tables hold nothing that no owner has.
 */
export const cutInTurn = async (count: number): Promise<void> => {
  const lab = await createFleetingLab();
  const story = await Story.begin(lab, 'none', replicatedFlowsOf(lab));
  for (let cut = 0; cut < count; cut += 1) {
    const name = cut % 2 === 0 ? 'fw1' : 'fw2';
    await story.powerCut(name);
    await bootFleeting(lab.node(name));
    await story.comeBack(name);
  }
  await story.answered();
  await untilSameTables(lab, 10_000);
  await story.expectAllWell();
};
