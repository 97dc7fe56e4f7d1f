import { expect, test } from 'vitest';
import { restartAgent } from '../cluster.ts';
import { addressAt } from '../flows.ts';
import { createLab } from '../labs.ts';
import type { Lab } from '../rig/lab.ts';
import type { FirewallNode } from '../rig/node.ts';
import { planClient } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';
import { Story } from '../story.ts';
import { setTimeouts } from '../tables.ts';
import type { FlowKind, FlowSpec } from '../traffic/flow.ts';

/** Seconds. A flow has a packet every third of it. */
const TIMEOUT = 6;
const STEP_MS = (TIMEOUT * 1000) / 3;
/** Before the owner dies. */
const AGE_MS = 6 * TIMEOUT * 1000;
/** Flows of a kind begin one after the other, so that their packets meet the agent's rounds differently. */
const FLOWS = 8;

const FROM = addressAt(planClient(1), 'fw1');

const TIMEOUTS = {
  udp_timeout: TIMEOUT,
  udp_timeout_stream: TIMEOUT,
  tcp_timeout_established: TIMEOUT,
  icmp_timeout: TIMEOUT,
};

const boot = async (lab: Lab): Promise<void> => {
  for (const node of lab.nodes) {
    await node.boot();
    await setTimeouts(node, TIMEOUTS);
  }
};

const flowsOf = (kinds: readonly FlowKind[]): FlowSpec[] =>
  kinds.flatMap((kind) =>
    Array.from({ length: FLOWS }, (_, index) => ({
      id: `c1.${kind}${index}`,
      kind,
      from: FROM,
      intervalMs: STEP_MS,
      ...(kind === 'ping' ? { icmpId: 100 + index } : {}),
    })),
  );

/** Two firewalls, and the flows begun one after the other within a step. */
const begin = async (lab: Lab, kinds: readonly FlowKind[]): Promise<Story> => {
  await boot(lab);
  const story = await Story.begin(lab, 'none', []);
  for (let index = 0; index < FLOWS; index += 1) {
    const next = performance.now() + STEP_MS / FLOWS;
    story.traffic.add(flowsOf(kinds).filter(({ id }) => id.endsWith(String(index))));
    await until('the next to begin', () => performance.now() > next, STEP_MS);
  }
  await story.traffic.ready();
  return story;
};

/** The kernel's ids of the entries: one that expired and was made anew has another. */
const idsOf = async (node: FirewallNode): Promise<readonly string[]> => {
  const text = await node.run(['conntrack', '-L', '--orig-src', FROM, '-o', 'id']);
  return [...text.matchAll(/\bid=(\d+)$/gm)].map(([, id = '']) => id).sort();
};

const copies = (node: FirewallNode, count: number): Promise<readonly string[]> =>
  until(
    `${count} entries on ${node.name}`,
    () => idsOf(node),
    10_000,
    (ids) => ids.length === count,
  );

const pass = async (milliseconds: number): Promise<void> => {
  const end = Date.now() + milliseconds;
  await until('time to pass', () => Date.now() > end, milliseconds + 1000);
};

test.each([
  { snat: true, kinds: ['udp', 'busy'] },
  { snat: false, kinds: ['udp', 'busy', 'ping'] },
] as const)(
  'flows with a packet every third of their timeout outlive their owner, snat $snat',
  {
    timeout: 120_000,
  },
  async ({ snat, kinds }) => {
    const lab = await createLab({ cluster: { snat, manager: 'none' } });
    const story = await begin(lab, kinds);
    const replica = lab.node('fw2');
    const before = await copies(replica, kinds.length * FLOWS);
    await pass(AGE_MS);
    await story.powerCut('fw1');
    await story.answered();
    expect(await idsOf(replica)).toEqual(before);
    await story.expectAllWell();
  },
);

test('were they not refreshed, the copies would expire and the flows be lost', {
  timeout: 120_000,
}, async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const story = await begin(lab, ['udp', 'busy']);
  await restartAgent(lab.node('fw1'), 'refresh');
  await until(
    'the copies to expire',
    () => idsOf(lab.node('fw2')),
    2 * TIMEOUT * 1000,
    (ids) => ids.length === 0,
  );
  await story.powerCut('fw1');
  await until(
    'the connections to be lost',
    () => story.traffic.snapshot().filter(({ kind, lost }) => kind === 'busy' && !lost),
    20_000,
    (living) => living.length === 0,
  );
});
