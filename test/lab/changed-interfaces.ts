import { patientFlows } from './flows.ts';
import { createLab } from './labs.ts';
import { untilNoWarning } from './no-warning.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import type { Side } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';

export const NAMES = ['fw1', 'fw2'] as const;

/** One client's flows of both families through each of two firewalls. */
export const beginStory = async (): Promise<{ lab: Lab; story: Story }> => {
  const lab = await createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  const { plan } = lab.client('c1');
  const story = await Story.begin(lab, 'keepalived', patientFlows(plan));
  return { lab, story };
};

/** Waits until no node warns of anything, and all flows are answered. */
export const untilWell = async (lab: Lab, story: Story): Promise<void> => {
  await story.homeAgain();
  for (const node of lab.nodes) await story.synced(node.name);
  await untilNoWarning(lab.nodes);
  await story.answered();
};

/** Both nodes in turn lose an interface and get it again, some time later and at once. */
export const remakeStory = async (side: Side): Promise<void> => {
  const { lab, story } = await beginStory();
  for (const name of NAMES) {
    await remake(story, lab.node(name), side, 300);
    await untilWell(lab, story);
    await remake(story, lab.node(name), side, 0);
    await untilWell(lab, story);
  }
  await story.steady();
  await story.expectAllWell();
};

/** @param gone milliseconds that it isn't there */
const remake = async (story: Story, node: FirewallNode, side: Side, gone: number): Promise<void> => {
  const from = Date.now();
  await node.removeLink(side);
  await until('the interface to be gone for long enough', () => Date.now() >= from + gone, gone + 1000);
  await node.makeLink(side);
  story.note({ from, to: Date.now() });
};

/** Nodes set their links down, and up again so many milliseconds later. */
export const bounceStory = async (nodes: readonly string[], milliseconds: number): Promise<void> => {
  const { lab, story } = await beginStory();
  for (const device of ['eth1', 'eth2']) {
    const from = Date.now();
    const all = nodes.map((name) => lab.node(name));
    await Promise.all(all.map((node) => node.run(['ip', 'link', 'set', device, 'down'])));
    await until('the time to pass', () => Date.now() >= from + milliseconds, milliseconds + 1000);
    await Promise.all(all.map((node) => node.run(['ip', 'link', 'set', device, 'up'])));
    // ifup gives the node's own addresses of IPv6 again, which the kernel has taken.
    for (const node of all) await giveOwn6(node, device === 'eth1' ? 'inside' : 'outside');
    story.note({ from, to: Date.now() });
    await untilWell(lab, story);
  }
  await story.steady();
  await story.expectAllWell();
  await untilNoWarning(lab.nodes);
};

/** As ifup does: the kernel has taken those of IPv6 with the link. */
export const giveOwn6 = async (node: FirewallNode, side: Side): Promise<void> => {
  await node.machine.ip(node.ownAddresses(side).map((address) => `addr replace ${address}`));
};
