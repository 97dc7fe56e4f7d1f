import { expect, test } from 'vitest';
import { restartAgent } from './cluster.ts';
import { statusOf } from './command-output.ts';
import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { LogTail } from './log-tail.ts';
import { untilNoWarning } from './no-warning.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { HOMES, readShares, untilShares } from './shares.ts';
import { Story } from './story.ts';
import { emptyTable, fillTable, TableLimit, tableSize } from './table-limit.ts';
import type { FlowSpec } from './traffic/flow.ts';
import { summarize } from './verdict/summary.ts';
import { warningsOf } from './warnings.ts';

/** In which each node has to say it. */
const BOUND_MS = 5000;
const MAX = 10_000;

test('a connection table that fills is said before it is full, and a full one costs neither a flow nor the sight of a peer', async () => {
  const limit = new TableLimit(MAX);
  try {
    const lab = await createLab({ clients: 1, cluster: { snat: true, manager: 'keepalived' } });
    const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
    const [c1] = lab.clients;
    const story = await Story.begin(lab, 'keepalived', c1 && slowly(flowsOfBothHomes(c1.plan)));
    const logs = lab.nodes.map((node) => new LogTail(node));

    // By others, to five sixths.
    await fillTable(fw2, 8400);
    await untilCodes(lab, { fw1: [], fw2: [FILLS] });
    expect(await priorityOf(fw2, 'fw2_fw1')).toBe(0);

    // Nearly full: what fw2 owns goes to fw1, which has the room.
    await fillTable(fw2, 1000, 8400);
    await untilCodes(lab, { fw1: ['no-room fw2'], fw2: [FILLS, 'no-room fw2'] });
    await story.changes({ fw1: 'all', fw2: 'none' });
    expect(await priorityOf(fw2, 'fw2_fw1')).toBeLessThan(0);
    expect((await statusOf(fw1)).warnings[0]?.text).toMatch(/^fw2's connection table has no room /);

    // Full, and nothing of the agents' own in it: what is gone can't be entered any more.
    limit.set(MAX / 2);
    await forgetAgents(fw2);
    await restartAgent(fw2);
    // Most of the states of fw1 are refused: it goes on asking for them.
    await until(
      'a comparison',
      async () => (await statusOf(fw2)).comparing,
      10_000,
      (comparing) => comparing !== null && comparing.round > 1 && (comparing.missing ?? 0) > 0,
    );
    expect(await entriesOfAgents(fw2)).toBe('');
    expect(await tableSize(fw2)).toBeGreaterThan(MAX / 2);
    for (const node of lab.nodes) expect((await statusOf(node)).peers[0]?.reachable).toBe(true);
    expect((await warningsOf(fw2)).find(({ code }) => code === 'table-fills')?.text).toMatch(
      /is full .*; \d+ packets were dropped for that since the agent began; /,
    );

    // Without the other way they would lose sight of each other.
    await loseOtherWay(lab);
    for (const node of lab.nodes) await untilReachable(node, false);
    await keepOtherWay(lab);
    for (const node of lab.nodes) await untilReachable(node, true);

    limit.set(MAX);
    await emptyTable(fw2);
    await story.changes(HOMES);
    await untilNoWarning(lab.nodes);
    for (const log of logs) await log.hears(/: no longer so: .* \[no-room\]/);
    await story.steady();
    await story.expectAllWell();
  } finally {
    limit.restore();
  }
});

test('the last node alive serves with a full table', async () => {
  const limit = new TableLimit(MAX);
  try {
    const lab = await createLab({ clients: 1, cluster: { snat: true, manager: 'keepalived' } });
    const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
    const [c1] = lab.clients;
    const story = await Story.begin(lab, 'keepalived', c1 && slowly(flowsOfBothHomes(c1.plan)));
    await fillTable(fw2, 9500);
    await story.changes({ fw1: 'all', fw2: 'none' });
    const from = Date.now();
    await fw1.powerCut();
    await story.changes({ fw1: 'off', fw2: 'all' }, from);
    console.log(`taken over ${Date.now() - from} ms after the power cut`);
    expect((await warningsOf(fw2)).map(({ code }) => code)).toContain('table-fills');
    await story.answered();
    await untilShares(lab, { fw1: 'off', fw2: 'all' });
    expect(await priorityOf(fw2, 'fw2_fw1')).toBe(0);
    await story.expectAllWell();
  } finally {
    limit.restore();
  }
});

test('without a look at the tables the node keeps what it has no room for, and new connections are lost', async () => {
  const limit = new TableLimit(MAX);
  try {
    const lab = await createLab({ clients: 1, cluster: { snat: true, manager: 'keepalived' } });
    const [c1] = lab.clients;
    const flows = c1 && flowsOfBothHomes(c1.plan).filter(({ kind }) => kind === 'connects');
    const story = await Story.begin(lab, 'keepalived', flows);
    for (const node of lab.nodes) await restartAgent(node, 'room');
    await fillTable(lab.node('fw2'), 8000);
    const full = Date.now();
    limit.set(MAX / 2);
    await until('what counts as lost', () => Date.now() > full + LOST_MS, LOST_MS + 1000);
    expect(JSON.parse(await readShares(lab))[1]).toHaveLength(lab.buckets / 2);
    const lost = summarize(await story.traffic.stop(), []).lost.map(({ id }) => id);
    expect(lost).toEqual(['c1.fw2.connects']);
  } finally {
    limit.restore();
  }
});

/** Every bucket has 1008 ports, and an ended connection keeps its one for 120 s. */
const slowly = (flows: readonly FlowSpec[]): FlowSpec[] =>
  flows.map((flow) => (flow.kind === 'connects' ? { ...flow, intervalMs: 150 } : flow));

/** Without an answer for so long a flow counts as lost; and a little more. */
const LOST_MS = 9000;

const FILLS = 'table-fills net.netfilter.nf_conntrack_max';

/** What each node warns of about tables, within the bound. */
const untilCodes = async (lab: Lab, wanted: Readonly<Record<string, readonly string[]>>): Promise<void> => {
  const from = Date.now();
  const text = JSON.stringify(wanted);
  await until(
    `warnings ${text}`,
    async () =>
      Object.fromEntries(await Promise.all(lab.nodes.map(async (node) => [node.name, await codesOf(node)]))),
    BOUND_MS,
    (seen) => JSON.stringify(seen) === text,
  );
  console.log(`${text} after ${Date.now() - from} ms`);
};

const codesOf = async (node: FirewallNode): Promise<readonly string[]> =>
  (await warningsOf(node))
    .filter(({ code }) => code === 'table-fills' || code === 'no-room')
    .map(({ code, object }) => `${code} ${object}`);

/** What the node's keepalived adds to its priority for the group: below 0 it isn't ready. */
const priorityOf = async (node: FirewallNode, group: string): Promise<number> =>
  Number(await node.run(['cat', `/run/conntrack-ha/ready/${group}`]));

const untilReachable = (node: FirewallNode, wanted: boolean): Promise<unknown> =>
  until(
    `${node.name}'s peer to be ${wanted ? '' : 'un'}reachable`,
    async () => (await statusOf(node)).peers.map(({ reachable }) => reachable),
    BOUND_MS,
    ([reachable]) => reachable === wanted,
  );

const entriesOfAgents = (node: FirewallNode): Promise<string> =>
  node.run(['sh', '-c', 'conntrack -L 2>/dev/null | grep -w 378[01] || :']);

const forgetAgents = async (node: FirewallNode): Promise<void> => {
  await node.run(['conntrack', '-D', '-s', '10.99.0.1']).catch(() => '');
  await node.run(['conntrack', '-D', '-s', '10.99.0.2']).catch(() => '');
};

/** Nothing that agents say leaves from another port than 3781: as if it weren't said. */
const loseOtherWay = async (lab: Lab): Promise<void> => {
  const rules = `table ip lab_lose_way {
    chain out { type filter hook output priority -500; udp dport 3781 udp sport != 3781 drop; }
  }`;
  for (const node of lab.nodes) await node.run(['nft', '-f', '-'], { input: rules });
};

const keepOtherWay = async (lab: Lab): Promise<void> => {
  for (const node of lab.nodes) await node.run(['nft', 'delete', 'table', 'ip', 'lab_lose_way']);
};
