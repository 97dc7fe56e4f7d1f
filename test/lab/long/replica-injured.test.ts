import { expect, test } from 'vitest';
import { restartAgent } from '../cluster.ts';
import { addressAt } from '../flows.ts';
import { createLab } from '../labs.ts';
import { overrun, useSmallBuffer } from '../overrun.ts';
import type { Lab } from '../rig/lab.ts';
import type { FirewallNode } from '../rig/node.ts';
import { planClient } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';
import { Story } from '../story.ts';
import { flowCountOf, setTimeouts, untilSameTables } from '../tables.ts';
import type { FlowSpec } from '../traffic/flow.ts';

/** Seconds. Short, so that the longest gets its turn after eight rounds of a second each. */
const TIMEOUTS = { udp_timeout: 5, udp_timeout_stream: 5, tcp_timeout_established: 60 };
const HEALED_MS = 12_000;

const FROM = [1, 2].map((client) => addressAt(planClient(client), 'fw1'));

/** All of them fw1's. */
const FLOWS: readonly FlowSpec[] = FROM.flatMap((from, index) =>
  (['busy', 'idle', 'udp', 'bulk'] as const).map((kind) => ({ id: `c${index + 1}.${kind}`, kind, from })),
);

/** Its bucket is fw2's own. */
const BURST_FROM = addressAt(planClient(2), 'fw2');

/** The kernel's ids of the flows' entries: others if they were made anew. */
const idsOf = async (node: FirewallNode): Promise<readonly string[]> => {
  const lists = FROM.map((from) => node.run(['conntrack', '-L', '--orig-src', from, '-o', 'id']));
  return (await Promise.all(lists))
    .flatMap((text) => [...text.matchAll(/\bid=(\d+)/g)].map(([, id = '']) => id))
    .sort();
};

const begin = async (): Promise<{ lab: Lab; owner: FirewallNode; replica: FirewallNode; story: Story }> => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  for (const node of lab.nodes) {
    await node.boot();
    await setTimeouts(node, TIMEOUTS);
  }
  const story = await Story.begin(lab, 'none', FLOWS);
  await untilSameTables(lab, HEALED_MS);
  return { lab, owner: lab.node('fw1'), replica: lab.node('fw2'), story };
};

const restartConntrackd = async (node: FirewallNode): Promise<void> => {
  await node.daemon('conntrackd').kill();
  await node.startConntrackd();
};

const deleteCopies = async (replica: FirewallNode): Promise<void> => {
  for (const from of FROM) {
    await replica.run(['conntrack', '-D', '--orig-src', from]);
  }
  expect(await flowCountOf(replica)).toBe(0);
};

const flush = async (replica: FirewallNode): Promise<void> => {
  await replica.run(['conntrack', '-F']);
};

const overrunBuffer = async (replica: FirewallNode): Promise<void> => {
  await useSmallBuffer(replica);
  await overrun(replica, BURST_FROM);
};

test.each([
  { what: 'its copies deleted', injure: deleteCopies },
  { what: 'its table flushed', injure: flush },
  { what: 'its conntrackd restarted', injure: restartConntrackd },
  { what: "its conntrackd's event buffer overrun", injure: overrunBuffer },
])(
  "a replica has $what: the owner's flows live on, the replica heals, and can take over",
  async ({ injure }) => {
    const { lab, owner, replica, story } = await begin();
    const before = await idsOf(owner);
    expect(before).toHaveLength(FLOWS.length);
    await injure(replica);
    await story.answered();
    await untilSameTables(lab, HEALED_MS);
    expect(await idsOf(owner)).toEqual(before);
    await story.powerCut('fw1');
    await story.answered();
    await story.expectAllWell();
  },
);

test('were its conntrackd not disowned, a flush of the replica would end the live flows', async () => {
  const { owner, replica } = await begin();
  const before = await idsOf(owner);
  await restartAgent(replica, 'disown');
  await restartConntrackd(replica);
  await flush(replica);
  await until(
    'other entries at the owner',
    () => idsOf(owner),
    10_000,
    (ids) => before.every((id) => !ids.includes(id)),
  );
});

test('were no flow touched, the replica would not heal', async () => {
  const { lab, owner, replica } = await begin();
  await restartAgent(owner, 'adopt');
  await flush(replica);
  await expect(untilSameTables(lab, HEALED_MS)).rejects.toThrow(/fw2 lacks tcp/);
});
