import { expect, test } from 'vitest';
import { addressAt } from './flows.ts';
import { createLab } from './labs.ts';
import { overrun, useSmallBuffer } from './overrun.ts';
import type { FirewallNode } from './rig/node.ts';
import { planClient, SERVER } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';

const FROM = addressAt(planClient(1), 'fw1');
/** Where a burst comes from. */
const OTHER = addressAt(planClient(2), 'fw2');
/** Ports of a connection that ends while its home is away, and of one that is there when it returns. */
const [ENDED, LIVING] = [3333, 4444];

const connectionOf = (port: number): readonly string[] =>
  `-p tcp -s ${FROM} -d ${SERVER} --sport ${port} --dport 80`.split(' ');

const make = (node: FirewallNode, port: number): Promise<string> =>
  node.run([
    ...['conntrack', '-I', ...connectionOf(port)],
    ...['--state', 'ESTABLISHED', '-u', 'SEEN_REPLY,ASSURED', '-t', '600'],
  ]);

const end = (node: FirewallNode): Promise<string> => node.run(['conntrack', '-D', ...connectionOf(ENDED)]);

const sees = (text: string, port: number): boolean => text.includes(`sport=${port} `);

/** fw1 has a connection, of which fw2 has a copy, and dies. */
const begin = async (prepare: (survivor: FirewallNode) => Promise<unknown> = async () => undefined) => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const [home, survivor] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'none', []);
  await prepare(survivor);
  await story.synced('fw2');
  await make(home, ENDED);
  const copy = () => survivor.run(['conntrack', '-L', '--orig-src', FROM]);
  await until('the copy', copy, 5000, (text) => sees(text, ENDED));
  await story.powerCut('fw1');
  await story.steady();
  return { home, survivor, story };
};

test('a node that returns is not fed a connection that ended while it was away', async () => {
  const { home, survivor, story } = await begin();
  await end(survivor);
  await make(survivor, LIVING);
  await home.boot();
  const monitor = await home.machine.spawn('conntrack-events', ['conntrack', '-E', '-e', 'NEW']);
  await story.comeBack('fw1');
  const given = await until(
    'the living connection',
    () => monitor.output(),
    5000,
    (text) => sees(text, LIVING),
  );
  expect(sees(given, ENDED)).toBe(false);
});

test('what would be fed holds nothing of whose end conntrackd did not hear', async () => {
  const { survivor } = await begin(useSmallBuffer);
  await overrun(survivor, OTHER, () => end(survivor));
  await make(survivor, LIVING);
  await until(
    'a right cache',
    () => survivor.run(['conntrackd', '-C', '/etc/conntrackd/conntrackd.conf', '-i']),
    10_000,
    (cache) => sees(cache, LIVING) && !sees(cache, ENDED),
  );
});
