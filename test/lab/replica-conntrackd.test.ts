import { expect, test } from 'vitest';
import { agentUp } from './cluster.ts';
import { addressAt } from './flows.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { planClient } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';

/** Seconds until a UDP entry without packets expires. */
const TIMEOUT = 4;

const FROM = addressAt(planClient(1), 'fw1');

/** The kernel's id of the flow's entry: another one if it was made anew. Looking also ends what has expired. */
const entryOf = async (node: FirewallNode): Promise<string> => {
  const text = await node.run(['conntrack', '-L', '-p', 'udp', '--orig-src', FROM, '-o', 'id']);
  return /\bid=(\d+)/.exec(text)?.[1] ?? '';
};

test("whatever becomes of a replica's conntrackd, the owner's flow lives on", async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const [owner, replica] = [lab.node('fw1'), lab.node('fw2')];
  for (const node of [owner, replica]) {
    await node.boot();
    const names = ['udp_timeout', 'udp_timeout_stream'];
    const settings = names.map((name) => `net.netfilter.nf_conntrack_${name}=${TIMEOUT}`);
    await node.run(['sysctl', '-q', '-w', ...settings]);
  }
  const story = await Story.begin(lab, 'none', [{ id: 'c1.udp', kind: 'udp', from: FROM }]);
  const entry = await until('the entry at the owner', () => entryOf(owner), 2000);
  const copied = () => until('a copy at the replica', () => entryOf(replica), 10_000);
  const expired = () =>
    until(
      'the copy to expire',
      () => entryOf(replica),
      (TIMEOUT + 6) * 1000,
      (copy) => copy === '',
    );
  const unharmed = async (): Promise<void> => {
    await story.answered();
    expect(await entryOf(owner)).toBe(entry);
    expect(story.traffic.flow('c1.udp').ports).toHaveLength(1);
  };
  await copied();

  // Restarted, it loads the copies as its own; here nobody refreshes them, so that they expire under it.
  await owner.daemon('agent').kill('SIGKILL');
  await replica.daemon('conntrackd').kill();
  await replica.startConntrackd();
  await expired();
  await unharmed();
  await owner.startAgent();
  await agentUp(owner);
  await copied();

  // Killed, and absent for longer than a copy lives.
  await replica.daemon('conntrackd').kill('SIGKILL');
  await expired();
  await unharmed();
  await replica.startConntrackd();
  await copied();

  // With everybody well, the copy outlives its timeout by far.
  const copy = await copied();
  const end = Date.now() + 2 * TIMEOUT * 1000;
  await until('twice the timeout to pass', () => Date.now() > end, 3 * TIMEOUT * 1000);
  expect(await entryOf(replica)).toBe(copy);
  await unharmed();
  await story.powerCut('fw1');
  await story.answered();
  await story.expectAllWell();
});
