import { expect, test } from 'vitest';
import { createFleetingLab, replicatedFlowsOf } from './fleeting.ts';
import { addressAt } from './flows.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';
import { flowCountOf, tableOf, untilSameTables } from './tables.ts';

/** From the end of the last flow, or of what kept a replica from hearing of it. */
const GONE_MS = 5000;
/** An ended connection's entry stays for a while. */
const ENDED_MS = 8000;

const begin = async (): Promise<{ lab: Lab; story: Story }> => {
  const lab = await createFleetingLab();
  return { lab, story: await Story.begin(lab, 'none', replicatedFlowsOf(lab)) };
};

/** Closes all connections, sends no more datagrams, and deletes what goes through fw1 from a client's one address. */
const endAll = async (lab: Lab, story: Story): Promise<void> => {
  await story.traffic.stop();
  const from = addressAt(lab.client('c1').plan, 'fw1');
  await lab.node('fw1').run(['conntrack', '-D', '--orig-src', from]);
};

/** Waits until a node's kernel holds no flow of a bucket that it owns. */
const untilOwnedEnded = (node: FirewallNode): Promise<unknown> =>
  until(
    `the end of what ${node.name} owns`,
    async () => {
      const [owned = [], table] = await Promise.all([node.ownedBuckets(), tableOf(node)]);
      return owned.filter((bucket) => table.has(bucket));
    },
    ENDED_MS,
    (buckets) => buckets.length === 0,
  );

const untilGone = async (lab: Lab): Promise<void> => {
  await Promise.all(lab.nodes.map(untilOwnedEnded));
  await untilSameTables(lab, GONE_MS);
  expect(await Promise.all(lab.nodes.map(flowCountOf))).toEqual([0, 0]);
};

test('flows that are closed, expire or are deleted at their owner go from the replica too', async () => {
  const { lab, story } = await begin();
  await endAll(lab, story);
  await untilGone(lab);
});

test.each([
  {
    what: 'its conntrackd does not run',
    deafen: (replica: FirewallNode) => replica.daemon('conntrackd').kill('SIGKILL'),
    mend: (replica: FirewallNode) => replica.startConntrackd(),
  },
  {
    what: 'its sync link is cut',
    deafen: (replica: FirewallNode) => replica.cutLink('sync'),
    mend: (replica: FirewallNode) => replica.healLink('sync'),
  },
])('flows that end while $what go from the replica when it is mended', async ({ deafen, mend }) => {
  const { lab, story } = await begin();
  const [owner, replica] = [lab.node('fw1'), lab.node('fw2')];
  await deafen(replica);
  await endAll(lab, story);
  await untilOwnedEnded(owner);
  expect(await flowCountOf(replica)).toBeGreaterThan(0);
  await mend(replica);
  await untilGone(lab);
});
