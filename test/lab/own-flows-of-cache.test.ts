import { expect, test } from 'vitest';
import { restartAgent } from './cluster.ts';
import { addressAt } from './flows.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { planClient, SERVER, SHARED } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { HOMES } from './shares.ts';
import { Story } from './story.ts';

/**
 * A commit replaces live entries by the copies in the external cache, so none of the node's own flows may be among these.
 * Whether an entry was replaced its mark tells, which was set after the copy was made; its id may be the same by chance.
 */

const FROM = addressAt(planClient(1), 'fw2');
const FLOWS = (['udp', 'busy'] as const).map((kind) => ({ id: `c1.${kind}`, kind, from: FROM }));

const MARKED = ['tcp 77', 'udp 77'];

const mark = async (node: FirewallNode): Promise<void> => {
  await node.run(['conntrack', '-U', '--orig-src', FROM, '--mark', '77']);
  expect(await marksOf(node)).toEqual(MARKED);
};

const marksOf = async (node: FirewallNode): Promise<string[]> => {
  const text = await node.run(['conntrack', '-L', '--orig-src', FROM]);
  return [...text.matchAll(/^(\w+) .*\bmark=(\d+)/gm)]
    .map(([, protocol, set]) => `${protocol} ${set}`)
    .sort();
};

const cachedOf = async (node: FirewallNode): Promise<string[]> => {
  const text = await node.run(['conntrackd', '-C', '/etc/conntrackd/conntrackd.conf', '-e']);
  return text.split('\n').filter((line) => line.includes(`src=${FROM} `));
};

const begin = async (): Promise<Story> => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none', replicas: 'cache' } });
  return Story.begin(lab, 'none', FLOWS);
};

/** fw1 serves fw2's home for a while, so that copies of its flows stand in fw2's cache. */
const lend = async (story: Story): Promise<void> => {
  await story.synced('fw1');
  await story.lab.node('fw1').product(['takeover', 'fw2']);
  await story.changes({ fw1: 'all', fw2: 'none' });
  await story.answered();
  await until(
    'copies in the cache',
    () => cachedOf(story.lab.node('fw2')),
    5000,
    ({ length }) => length > 1,
  );
  await story.synced('fw2');
  await story.lab.node('fw2').product(['takeover', 'fw2']);
  await story.changes(HOMES);
  await story.answered();
  await Promise.all([story.synced('fw1'), story.synced('fw2')]);
};

test('what a node has taken back is not committed again', async () => {
  const story = await begin();
  const node = story.lab.node('fw2');
  await lend(story);
  await until(
    'no copies in the cache',
    () => cachedOf(node),
    5000,
    ({ length }) => length === 0,
  );
  await mark(node);
  await story.powerCut('fw1');
  await story.answered();
  expect(await marksOf(node)).toEqual(MARKED);
  await story.expectAllWell();
});

test('unless the cache keeps it: then its live entries are replaced', async () => {
  const story = await begin();
  const node = story.lab.node('fw2');
  await restartAgent(node, 'empty');
  await lend(story);
  await mark(node);
  await story.powerCut('fw1');
  await story.answered();
  expect(await marksOf(node)).toEqual(['tcp 0', 'udp 0']);
});

test('copies of its own flows that a peer has sent are out of the cache before the next commit', async () => {
  const story = await begin();
  const [peer, node] = [story.lab.node('fw1'), story.lab.node('fw2')];
  await mark(node);
  const text = await node.run(['conntrack', '-L', '-p', 'udp', '--orig-src', FROM]);
  const [, sport = '', dport = ''] = /sport=(\d+) dport=(\d+)/.exec(text) ?? [];
  // Another program's entry is the node's own to conntrackd, and is sent. Another translation would end the flow.
  await peer.run([
    ...['conntrack', '-I', '-p', 'udp', '-t', '600', '-s', FROM, '-d', SERVER, '--sport', sport],
    ...['--dport', dport, '-r', SERVER, '-q', SHARED.outside],
    ...['--reply-port-src', dport, '--reply-port-dst', '1024'],
  ]);
  await until(
    'a copy in the cache',
    () => cachedOf(node),
    5000,
    ({ length }) => length > 0,
  );
  // What it does every minute it does at its start.
  await restartAgent(node);
  await until(
    'no copies in the cache',
    () => cachedOf(node),
    10_000,
    ({ length }) => length === 0,
  );
  await story.synced('fw2');
  expect(await cachedOf(node)).toEqual([]);
  await story.powerCut('fw1');
  await story.answered();
  expect(await marksOf(node)).toEqual(MARKED);
  await story.expectAllWell();
});
