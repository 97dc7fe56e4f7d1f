import { expect, test } from 'vitest';
import { bringUp, isSynced, keepSync, loseSync, lostSync, restartAgent } from '../cluster.ts';
import { statusOf } from '../command-output.ts';
import { addressAt, flowsOfHomes } from '../flows.ts';
import { createLab } from '../labs.ts';
import { untilPlaced } from '../placement.ts';
import type { Lab } from '../rig/lab.ts';
import type { FirewallNode } from '../rig/node.ts';
import { SERVER, SHARED } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';
import { differences, untilSameTables } from '../tables.ts';
import { untilAnswered } from '../traffic/answered.ts';
import { Traffic } from '../traffic/traffic.ts';

/** The lab's bound for anything that a comparison mends. */
const HEALED_MS = 60_000;
/** For how long messages are lost. */
const LOST_MS = 5000;
/** Of each kind. */
const COUNT = 30;
/** `timeouts.sync` of these labs, in seconds. */
const SYNC = 10;

/** Established connections of one address through SNAT, as `conntrack -R` reads them: from and to so many ports on. */
const connections = (from: string, port: number, translated: number): string =>
  Array.from({ length: COUNT }, (_, index) =>
    [
      '-A -p tcp --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 3600',
      `-s ${from} -d ${SERVER} --sport ${port + index} --dport 443`,
      `-n ${SHARED.outside}:${translated + index}`,
      '\n',
    ].join(' '),
  ).join('');

const load = async (node: FirewallNode, commands: string): Promise<void> => {
  await node.writeConfiguration('/etc/connections', commands);
  await node.run(['conntrack', '-R', '/etc/connections']);
};

/** Nodes that serve their homes, flows through all of them, and connections at fw1 of which all have copies. */
const begin = async (nodes: number): Promise<{ lab: Lab; traffic: Traffic; from: string }> => {
  const more = [`timeouts: { sync: ${SYNC}s }`];
  const lab = await createLab({ nodes, cluster: { snat: true, manager: 'none', more } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'none')));
  await untilPlaced(
    lab,
    lab.nodes.map(({ name }) => name),
  );
  const traffic = await Traffic.start(lab);
  const flows = lab.clients.flatMap(({ plan }) => flowsOfHomes(plan, nodes));
  traffic.add(flows.filter(({ kind }) => kind === 'busy' || kind === 'udp' || kind === 'bulk'));
  await traffic.ready();
  const from = addressAt(lab.client('c1').plan, 'fw1', nodes);
  await load(lab.node('fw1'), connections(from, 20_000, 2000));
  await until(
    'synced nodes',
    async () => (await Promise.all(lab.nodes.map(isSynced))).every(Boolean),
    20_000,
  );
  await untilSameTables(lab, HEALED_MS);
  return { lab, traffic, from };
};

/**
 * While nothing of what fw1's conntrackd sends arrives, connections end there, and others begin: half of them have the
 * translated ports of those that have ended, so that the replicas' stale copies are in their way.
 */
const loseMessages = async (lab: Lab, traffic: Traffic, from: string): Promise<void> => {
  const owner = lab.node('fw1');
  await loseSync(owner);
  const end = Date.now() + LOST_MS;
  await owner.run(['conntrack', '-D', '-p', 'tcp', '-s', from, '--dport', '443']);
  await load(owner, connections(from, 30_000, 2000) + connections(from, 40_000, 3000));
  traffic.add([{ id: 'c1.late', kind: 'busy', from }]);
  await until('the messages to be lost', async () => Date.now() > end && (await lostSync(owner)) > 0, 10_000);
  const found = await differences(lab);
  for (const { name } of lab.nodes.filter((node) => node !== owner)) {
    expect(found.filter((text) => text.startsWith(`${name} lacks tcp`)).length).toBeGreaterThan(2 * COUNT);
    expect(found.filter((text) => text.startsWith(`${name} still has tcp`))).toHaveLength(COUNT);
  }
  await keepSync(owner);
};

test.each([
  { nodes: 2, mode: 'FTFW' },
  { nodes: 3, mode: 'NOTRACK' },
])(
  '$nodes nodes: what was lost on its way ($mode) is mended within a minute',
  { timeout: 180_000 },
  async ({ nodes }) => {
    const { lab, traffic, from } = await begin(nodes);
    await loseMessages(lab, traffic, from);
    await untilSameTables(lab, HEALED_MS);
    await untilAnswered(traffic);
    const verdicts = await traffic.stop();
    expect(verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
  },
);

test('were nothing mended, it would stay so; the replica says so and is not synced', {
  timeout: 240_000,
}, async () => {
  const { lab, traffic, from } = await begin(3);
  const replica = lab.node('fw3');
  await restartAgent(replica, 'mend');
  await until('a synced replica', () => isSynced(replica), 20_000);
  await loseMessages(lab, traffic, from);
  await expect(untilSameTables(lab, HEALED_MS)).rejects.toThrow(/fw3 lacks tcp/);
  expect((await differences(lab)).filter((text) => text.startsWith('fw3 still has tcp'))).toHaveLength(COUNT);
  const said = await until(
    'the bound of a comparison',
    async () => (await statusOf(replica)).warnings.find(({ text }) => text.includes('still missing')),
    SYNC * 1000 + HEALED_MS,
  );
  expect(said?.text).toMatch(
    /^\d+ of \d+ flows of fw1 are still missing here; not synced: a takeover would cut /,
  );
  expect(await isSynced(replica)).toBe(false);
  // The others had theirs mended.
  expect((await differences(lab)).filter((text) => !text.startsWith('fw3 '))).toEqual([]);
});
