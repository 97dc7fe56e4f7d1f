import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { allowFlows } from '../../../bench/limits.ts';
import { buildPrograms, programFile } from '../../../bench/program-files.ts';
import { bringUp, restartAgent } from '../cluster.ts';
import { flowsOfBothHomes, homeOf } from '../flows.ts';
import { createLab } from '../labs.ts';
import type { Lab } from '../rig/lab.ts';
import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { Story } from '../story.ts';
import { setTimeouts } from '../tables.ts';
import type { FlowSpec } from '../traffic/flow.ts';

const OTHERS = 200_000;
/** At which the others are made; conntrackd keeps up with it. */
const OTHERS_PER_SECOND = 50_000;

/** Each address's bucket translates into about a thousand ports: what has ended must free them soon. Seconds. */
const TIMEOUTS = { tcp_timeout_time_wait: 2, tcp_timeout_close: 2 };

/** Milliseconds from one new connection to the next, over all addresses together. */
const STEP_MS = 1;

/** New connections from every address whose home is fw1, in turn. */
const connectsOf = (lab: Lab): FlowSpec[] => {
  const sources = lab.clients.flatMap(({ plan }) =>
    plan.addresses
      .filter((address) => homeOf(address) === 'fw1')
      .map((from) => ({ id: `${plan.name}.connects.${from}`, from })),
  );
  return sources.map((source) => ({ ...source, kind: 'connects', intervalMs: STEP_MS * sources.length }));
};

const boot = async (node: FirewallNode): Promise<void> => {
  await node.boot();
  await setTimeouts(node, TIMEOUTS);
};

const countOf = async (node: FirewallNode): Promise<number> => Number(await node.run(['conntrack', '-C']));

/** Counted by the kernel: what conntrack refused, and by which of our rules something was dropped. */
const whatWasDropped = async (node: FirewallNode): Promise<string> => {
  const rules = await node.run(['nft', 'list', 'ruleset']);
  const drops = rules.split('\n').filter((line) => / packets [1-9]\d* bytes \d+ drop/.test(line));
  return [await node.run(['conntrack', '-S']), ...drops.map((line) => line.trim())].join('\n');
};

/** Waits until a node has its home, looking seldom: what looks takes processors from what is tested. */
const untilHome = async (node: FirewallNode): Promise<void> => {
  const look = async () => {
    await sleep(1000);
    return (await node.ownedBuckets())?.length ?? 0;
  };
  await until(`${node.name}'s home`, look, 90_000, (buckets) => buckets > 0);
};

/** fw1 dies and comes back under new connections. Returns the flows' story, and the connections begun a millisecond. */
const handBack = async (
  snat: boolean,
  others: number,
  prepare: (survivor: FirewallNode) => Promise<unknown> = async () => undefined,
): Promise<{ story: Story; rate: number }> => {
  allowFlows(others * 1.3);
  await buildPrograms();
  const lab = await createLab({ cluster: { snat, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map(boot));
  const lasting = lab.clients.flatMap(({ plan }) => flowsOfBothHomes(plan));
  // The server sees the port of each: whether a translation changes is seen there.
  const kinds = ['busy', 'idle', 'udp'];
  const story = await Story.begin(
    lab,
    'keepalived',
    lasting.filter(({ kind }) => kinds.includes(kind)),
  );
  const [home, survivor] = [lab.node('fw1'), lab.node('fw2')];
  if (others > 0) {
    const fill = [process.execPath, programFile('fill'), 'insert', others, OTHERS_PER_SECOND];
    await home.run(fill.map(String), { boundMs: 60_000 });
  }
  await story.synced('fw2');
  await story.powerCut('fw1');
  await story.steady();
  await prepare(survivor);
  expect(await countOf(survivor)).toBeGreaterThan(others);

  story.traffic.add(connectsOf(lab));
  await story.traffic.ready();
  const sent = () =>
    story.traffic
      .snapshot()
      .filter(({ kind }) => kind === 'connects')
      .reduce((sum, flow) => sum + flow.sent, 0);
  const [before, began] = [sent(), performance.now()];
  await boot(home);
  await bringUp(home, 'keepalived');
  await untilHome(home);
  await story.homeAgain();
  const rate = (sent() - before) / (performance.now() - began);
  expect(await countOf(home)).toBeGreaterThan(others);
  return { story, rate };
};

test.each([{ snat: true }, { snat: false }])(
  'a hand-back under a new connection every millisecond, with 200 000 other flows, snat $snat: none fails',
  { timeout: 240_000 },
  async ({ snat }) => {
    const { story, rate } = await handBack(snat, OTHERS);
    try {
      await story.steady();
      await story.expectAllWell();
    } catch (error) {
      for (const node of story.lab.nodes) console.log(`${node.name}:\n${await whatWasDropped(node)}`);
      const { clients, server } = story.lab;
      for (const host of [...clients.map(({ machine }) => machine), server]) {
        console.log(`${host.name}:\n${await host.run(['nstat', '-as']).catch(String)}`);
      }
      throw error;
    }
    // Last: whether this machine can make so many.
    expect(rate).toBeGreaterThan(0.95 / STEP_MS);
  },
);

test('did the old owner close only after its answer, connections would fail', {
  timeout: 120_000,
}, async () => {
  const { story } = await handBack(true, 0, (survivor) => restartAgent(survivor, 'order'));
  const failed = () => story.traffic.snapshot().reduce((sum, flow) => sum + flow.failed, 0);
  await until('failed connections', failed, 15_000);
});
