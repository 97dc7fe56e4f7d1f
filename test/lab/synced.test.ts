import { expect, test } from 'vitest';
import { attempt } from './attempt.ts';
import { agentUp, bringUp, isSynced, keepSync, loseSync, restartAgent } from './cluster.ts';
import { statusOf } from './command-output.ts';
import { addressAt } from './flows.ts';
import { createLab } from './labs.ts';
import { untilNoWarning } from './no-warning.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { planClient, planNode, SERVER } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares } from './shares.ts';
import { siteConfiguration } from './site-conntrackd.ts';
import { warningsOf } from './warnings.ts';

const FILE = '/etc/conntrackd/conntrackd.conf';
/** Within which what is wrong is in `status`, once it is so and can be known. */
const SEEN_MS = 5000;
/** From one comparison of a hasty agent to the next, and the ten seconds for which what is missing may be on its way. */
const COMPARED_MS = 6000 + 10_000 + SEEN_MS;

const FROM = addressAt(planClient(1), 'fw1');

interface Entry {
  readonly from: string;
  readonly sport: number;
}

/** A connection to the server, made by hand. */
const CONNECTION: Entry = { from: FROM, sport: 4444 };

/** Makes it in a node's kernel; the server answers to `answered`. */
const make = (
  node: FirewallNode,
  { from, sport }: Entry,
  answered: Entry = { from, sport },
): Promise<string> =>
  node.run([
    ...`conntrack -I -p tcp -s ${from} -d ${SERVER} --sport ${sport} --dport 80`.split(' '),
    ...`-r ${SERVER} -q ${answered.from} --reply-port-src 80 --reply-port-dst ${answered.sport}`.split(' '),
    ...['--state', 'ESTABLISHED', '-u', 'SEEN_REPLY,ASSURED', '-t', '600'],
  ]);

const remove = (node: FirewallNode, { from, sport }: Entry): Promise<string> =>
  node.run(`conntrack -D -p tcp -s ${from} -d ${SERVER} --sport ${sport} --dport 80`.split(' '));

const holds = async (node: FirewallNode, { from, sport }: Entry): Promise<boolean> =>
  (await node.run(['conntrack', '-L', '-p', 'tcp', '--orig-src', from])).includes(`sport=${sport} `);

/** Two firewalls of which each serves its home and holds the other's states. */
const begin = async (): Promise<{ lab: Lab; owner: FirewallNode; replica: FirewallNode }> => {
  const lab = await createLab({ clients: 1, cluster: { snat: true, manager: 'none' } });
  const [owner, replica] = [lab.node('fw1'), lab.node('fw2')];
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'none')));
  await untilShares(lab, HOMES);
  await untilNoWarning([owner, replica]);
  await until('a synced replica', () => isSynced(replica), SEEN_MS);
  return { lab, owner, replica };
};

/** Waits until a node says that it doesn't hold the states of its peer, and why; the peer's are then not taken over. */
const untilNotSynced = async (node: FirewallNode, why: RegExp, boundMs = SEEN_MS): Promise<void> => {
  await until(
    `${node.name} not to be synced`,
    async () => (await isSynced(node)) || (await warningsOf(node)),
    boundMs,
    (seen) =>
      typeof seen !== 'boolean' && seen.some(({ code, text }) => code === 'not-synced' && why.test(text)),
  );
  const peer = node.name === 'fw1' ? 'fw2' : 'fw1';
  const { status, stdout, stderr } = await attempt(node, ['takeover', peer]);
  expect(status).toBe(1);
  expect(stdout + stderr).toContain(`doesn't hold the states of ${peer}`);
  expect(await node.product(['status'])).toMatch(/warning: .*not synced.* \[not-synced\]/);
};

/** Waits until a node holds its peer's states and nobody warns of anything. */
const untilMended = async (lab: Lab, node: FirewallNode): Promise<void> => {
  await until(`${node.name} to be synced`, () => isSynced(node), 20_000);
  await untilNoWarning(lab.nodes);
  // It may be a moment between two comparisons.
  expect(await isSynced(node)).toBe(true);
};

test('a site’s own conntrackd.conf left in place: neither node calls itself synced, and both say why', async () => {
  const { lab, owner, replica } = await begin();
  await replica.daemon('conntrackd').kill();
  await replica.startConntrackd(siteConfiguration('10.99.0.2'));
  await untilNotSynced(replica, /^conntrackd is unfit here/);
  const { conntrackd, warnings, groups } = await statusOf(replica);
  expect(conntrackd).toBe('unfit');
  expect(warnings.map(({ code }) => code).sort()).toEqual(['conntrackd-unfit', 'not-synced']);
  expect(warnings.find(({ code }) => code === 'conntrackd-unfit')?.text).toMatch(
    /DisableExternalCache off instead of on; dedicated link multicast eth3 instead of UDP eth3/,
  );
  expect(groups.map(({ role, synced }) => `${role} ${synced}`).sort()).toEqual([
    'owner true',
    'replica false',
  ]);
  await untilNotSynced(owner, /^conntrackd is unfit on fw2/);
  await replica.writeConfiguration(FILE, await replica.product(['render', 'conntrackd']));
  await replica.daemon('conntrackd').kill();
  await replica.startConntrackd();
  await untilMended(lab, replica);
  await untilMended(lab, owner);
}, 120_000);

test('a state that the kernel refuses: counted, not synced, until nothing stands in its way', async () => {
  const { lab, owner, replica } = await begin();
  // The node's own connections aren't replicated, nor compared.
  const own = planNode(2).links.outside.address.replace(/\/.*/, '');
  const obstacle = { from: own, sport: 999 };
  await make(replica, obstacle, CONNECTION);
  await make(owner, CONNECTION);
  await untilNotSynced(
    replica,
    /1 of \d+ flows of fw1 are still missing here.*the kernel has refused \d+ states/,
    10_000,
  );
  expect((await statusOf(replica)).refused).toBeGreaterThan(0);
  expect(await holds(replica, CONNECTION)).toBe(false);
  await remove(replica, obstacle);
  await untilMended(lab, replica);
  expect(await holds(replica, CONNECTION)).toBe(true);
  expect((await attempt(replica, ['takeover', 'fw1'])).status).toBe(0);
}, 120_000);

test('states that get lost on their way: not synced after the next comparison, though it goes on', async () => {
  const { lab, owner, replica } = await begin();
  await restartAgent(replica, 'hasty');
  await untilMended(lab, replica);
  await loseSync(owner);
  await make(owner, CONNECTION);
  await untilNotSynced(
    replica,
    /1 of \d+ flows of fw1 are still missing here.*see that conntrackd on fw1/,
    COMPARED_MS,
  );
  expect(await holds(replica, CONNECTION)).toBe(false);
  await keepSync(owner);
  await untilMended(lab, replica);
  expect(await holds(replica, CONNECTION)).toBe(true);
}, 120_000);

test('an owner that nobody can compare with, though it is heard: not synced', async () => {
  const { lab, owner, replica } = await begin();
  await restartAgent(replica, 'hasty');
  await untilMended(lab, replica);
  const closed = `table ip lab_closed {
    chain in { type filter hook input priority -500; tcp dport 3781 counter drop; }
  }`;
  await owner.run(['nft', '-f', '-'], { input: closed });
  await untilNotSynced(replica, /^the flows of fw1 can't be compared/, COMPARED_MS);
  await owner.run(['nft', 'delete', 'table', 'ip', 'lab_closed']);
  await untilMended(lab, replica);
}, 120_000);

test('one that believes for ever what it found once doesn’t notice what is lost', async () => {
  const { owner, replica } = await begin();
  await restartAgent(replica, 'believing');
  await agentUp(replica);
  await until('a synced replica', () => isSynced(replica), 20_000);
  await loseSync(owner);
  await make(owner, CONNECTION);
  const end = Date.now() + COMPARED_MS - SEEN_MS / 2;
  await until('the time in which one that compares would notice', () => Date.now() > end, COMPARED_MS + 1000);
  expect(await holds(replica, CONNECTION)).toBe(false);
  expect(await isSynced(replica)).toBe(true);
  expect(await warningsOf(replica)).toEqual([]);
}, 120_000);
