import { expect, test } from 'vitest';
import { warningText } from '../../src/cluster/warning.ts';
import { restartAgent } from './cluster.ts';
import { addressAt, flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { untilNoWarning } from './no-warning.ts';
import type { FirewallNode } from './rig/node.ts';
import { planClient, SERVER } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';
import { tableOf, untilSameTables } from './tables.ts';
import { warningsOf } from './warnings.ts';

/** What is destroyed is noticed within a second or two, and given back at once; the rest is a busy machine. */
const MENDED_MS = 6000;
/** Within so many milliseconds new connections are among those that are looked at: a round of refreshing with a UDP timeout of 30 s. */
const CHOSEN_MS = 9000;
/** Seconds that a site's conntrackd.conf may have for it, 60 by default. */
const PURGE_S = 2;
const CONF = '/etc/conntrackd/conntrackd.conf';
/** TCP: of UDP, a packet that comes first makes another translation. */
const KINDS = ['busy', 'idle', 'bulk'];
/** So many connections more of each home: a few that vanish are nobody's business. */
const MORE = 6;

const flowsOf = () => {
  const client = planClient(1);
  const more = ['fw1', 'fw2'].flatMap((home) =>
    Array.from({ length: MORE }, (_, index) => ({
      id: `${client.name}.${home}.idle${index}`,
      kind: 'idle' as const,
      from: addressAt(client, home),
    })),
  );
  return [...flowsOfBothHomes(client).filter(({ kind }) => KINDS.includes(kind)), ...more];
};

const begin = async () => {
  const lab = await createLab({ clients: 1, cluster: { snat: true, manager: 'none' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'none', flowsOf());
  await Promise.all([story.synced('fw1'), story.synced('fw2')]);
  await untilSameTables(lab, MENDED_MS);
  await untilNoWarning(lab.nodes);
  return { lab, fw1, fw2, story };
};

/** Orders something of a node's conntrackd, as a site's script would. */
const order = async (node: FirewallNode, ...orders: readonly string[]): Promise<void> => {
  for (const one of orders) {
    await node.run(['conntrackd', '-C', CONF, one]);
  }
};

/** Until conntrackd has done it: `-f internal`, which an agent orders after it has lent copies, takes back what is yet to come. */
const resetTimers = async (node: FirewallNode): Promise<void> => {
  const flushes = async () => (await node.daemon('conntrackd').output()).split('(scheduled)').length;
  const before = await flushes();
  let ordered = Number.NEGATIVE_INFINITY;
  await until(
    'the flush',
    async () => {
      if (Date.now() - ordered > (PURGE_S + 1) * 1000) {
        ordered = Date.now();
        await order(node, '-t');
      }
      return (await flushes()) > before;
    },
    15_000,
  );
};

const said = (node: FirewallNode, what: RegExp): Promise<unknown> =>
  until(
    `${node.name} to say ${what}`,
    async () => (await warningsOf(node)).map(warningText),
    MENDED_MS,
    (warnings) => warnings.some((warning) => what.test(warning)),
  );

/**
 * Waits until conntrackd's cache holds the node's own flows and no others: what one order has left there the next may send. A bulk
 * sends as ended what was deleted, and isn't acknowledged yet (object_status_to_network_type() of conntrack-tools).
 */
const exact = (node: FirewallNode): Promise<unknown> =>
  until(
    `the cache of ${node.name} to hold its own flows`,
    async () =>
      Number(
        /current active connections:\s+(\d+)/.exec(await node.run(['conntrackd', '-C', CONF, '-s']))?.[1],
      ),
    MENDED_MS,
    (flows) => flows === KINDS.length + MORE,
  );

const entriesOf = async (node: FirewallNode): Promise<readonly string[]> =>
  [...(await tableOf(node)).values()].flatMap((entries) => [...entries]).sort();

const DELETED =
  /ordered to delete every flow .* (\d+) were missing, and fw\d gave \1 back .* \[states-destroyed\]/;

/** What a node's conntrackd may be ordered by others, and what is said of it. */
const ORDERS = [
  { orders: ['-B'] },
  { orders: ['-n'] },
  { orders: ['-f'], says: /internal cache held \d of \d+ flows .* \[conntrackd-ordered\]/ },
  { orders: ['-R'], says: /load the whole kernel table .* \[conntrackd-ordered\]/ },
  // primary-backup.sh primary
  { orders: ['-c', '-f', '-R', '-B'] },
  // primary-backup.sh backup
  { orders: ['-t', '-n'] },
  { orders: ['-F'], says: DELETED },
] as const;

test('no order that others give to conntrackd harms a connection', async () => {
  const { lab, fw1, fw2, story } = await begin();
  const before = await entriesOf(fw1);
  const counted = Date.now() + CHOSEN_MS;
  await until('the connections to be counted', () => Date.now() >= counted, 2 * CHOSEN_MS);
  for (const node of [fw1, fw2]) {
    for (const { orders, ...rest } of ORDERS) {
      await order(node, ...orders);
      if ('says' in rest) await said(node, rest.says);
      const passed = await untilSameTables(lab, MENDED_MS);
      console.log(
        `${node.name} ${orders.join(' ')}: the same tables ${passed.toFixed(0)} ms after it was said`,
      );
      expect(await entriesOf(fw1), `${node.name} ${orders.join(' ')}`).toEqual(before);
      await Promise.all([exact(fw1), exact(fw2)]);
      await story.answered();
    }
    expect(await node.daemon('conntrackd').output()).toMatch(/flushing conntrack table in 2147483647 secs/);
  }
  await Promise.all([story.synced('fw1'), story.synced('fw2')]);
  await story.powerCut('fw1');
  await story.steady();
  await story.expectAllWell();
}, 90_000);

test('a site whose -t deletes everything after a while gets it back, and without that its connections are dead', async () => {
  const { lab, fw1, fw2, story } = await begin();
  const conf = await fw1.product(['render', 'conntrackd']);
  for (const node of [fw1, fw2]) {
    const own = node === fw1 ? conf : await fw2.product(['render', 'conntrackd']);
    await node.writeConfiguration(CONF, own.replace(/PurgeTimeout \d+/, `PurgeTimeout ${PURGE_S}`));
    await node.daemon('conntrackd').kill();
    await node.startConntrackd();
    await story.synced(node.name);
  }
  await untilSameTables(lab, MENDED_MS);
  const before = await entriesOf(fw1);
  for (const node of [fw1, fw2]) {
    await resetTimers(node);
    await said(node, DELETED);
    await untilSameTables(lab, MENDED_MS);
    expect(await entriesOf(fw1)).toEqual(before);
    await story.answered();
  }
  // As the replica of everything.
  await fw2.product(['takeover', 'fw1']);
  await story.changes({ fw1: 'none', fw2: 'all' });
  await resetTimers(fw1);
  await said(fw1, /ordered to delete every flow .* these were copies/);
  await untilSameTables(lab, MENDED_MS);
  expect(await entriesOf(fw1)).toEqual(before);
  await story.answered();

  await restartAgent(fw2, 'recall');
  await order(fw2, '-F');
  await said(fw2, /ordered to delete every flow .* cut off/);
  const lost = await until(
    'the connections to be dead',
    () =>
      story.traffic
        .snapshot()
        .filter((flow) => flow.lost)
        .map(({ id }) => id),
    15_000,
    (ids) => ids.length === 4,
  );
  expect(lost.sort()).toEqual(['c1.fw1.bulk', 'c1.fw1.busy', 'c1.fw2.bulk', 'c1.fw2.busy']);
}, 90_000);

test('connections that another program deletes are said, and copies come back', async () => {
  const { fw1, fw2 } = await begin();
  const foreign = (entries: readonly string[]) =>
    entries.filter((entry) => entry.includes(`src=${addressAt(planClient(1), 'fw2')} `));
  const copies = foreign(await entriesOf(fw1));
  expect(copies).toHaveLength(KINDS.length + MORE);
  const chosen = Date.now() + CHOSEN_MS;
  await until('witnesses to be chosen', () => Date.now() >= chosen, 2 * CHOSEN_MS);
  await fw1.run(['conntrack', '-D', '-p', 'tcp', '--orig-dst', SERVER]);
  await said(fw1, /connections were deleted .* \[states-destroyed\]/);
  await until(
    'the copies',
    async () => foreign(await entriesOf(fw1)),
    MENDED_MS,
    (entries) => entries.length === copies.length,
  );
  expect(foreign(await entriesOf(fw1))).toEqual(copies);
  expect(await warningsOf(fw2)).toEqual([]);
}, 60_000);
