import { expect, test } from 'vitest';
import { agentUp } from './cluster.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';

interface Event {
  readonly time: string;
  readonly transition: string;
  readonly group: string | null;
  readonly reason: string;
  readonly done: boolean;
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
}

const eventsOf = async (node: FirewallNode, ...args: readonly string[]): Promise<readonly Event[]> =>
  JSON.parse(await node.product(['events', '--json', ...args])).events;

/** The newest event of a kind, once it is finished: the last steps of a release take seconds. */
const finished = async (node: FirewallNode, transition: string, group: string | null): Promise<Event> => {
  const find = async () =>
    (await eventsOf(node)).findLast((event) => event.transition === transition && event.group === group);
  const bound = `${transition} of ${group} on ${node.name}`;
  const event = await until(bound, find, 10_000, (found) => found?.done === true);
  if (event === undefined) {
    throw new Error(`${bound} is gone`);
  }
  return event;
};

test('events tells the steps of the last transitions, with times and reasons, also after a restart', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'none');
  const from = Date.now();
  await fw2.product(['takeover', 'fw1']);
  await story.changes({ fw1: 'none', fw2: 'all' }, from);
  const to = Date.now();

  const takeover = await finished(fw2, 'takeover', 'fw1_fw2');
  expect(takeover.reason).toBe('operator says takeover; fw1 gave it up');
  expect(takeover.steps.map(({ name }) => name)).toEqual(['ask', 'activate', 'adopt']);
  const release = await finished(fw1, 'release', 'fw1_fw2');
  expect(release.reason).toBe('fw2 asks for it');
  expect(release.steps.map(({ name }) => name)).toEqual(['hold', 'deactivate', 'answer', 'disown']);
  for (const { time, steps } of [takeover, release]) {
    expect(Date.parse(time)).toBeGreaterThanOrEqual(from - 1);
    expect(Date.parse(time)).toBeLessThanOrEqual(to);
    const times = steps.map(({ ms }) => ms);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
  }

  const before = await Promise.all(lab.nodes.map((node) => eventsOf(node)));
  for (const node of lab.nodes) {
    await node.daemon('agent').kill('SIGKILL');
    // Needs no agent.
    expect(await eventsOf(node, '-n', '1')).toEqual((await eventsOf(node)).slice(-1));
    await node.startAgent();
    await agentUp(node);
  }
  const after = await Promise.all(lab.nodes.map((node) => eventsOf(node)));
  after.forEach((events, index) => {
    expect(events.slice(0, before[index]?.length)).toEqual(before[index]);
  });
  await story.powerCut('fw1');
  await story.comeBack('fw1');
  const rejoin = await finished(fw1, 'rejoin', null);
  expect(rejoin.steps.map(({ name }) => name)).toEqual(['disown', 'purge', 'bulk', 'verify']);
  await story.steady();
  await story.expectAllWell();
});
