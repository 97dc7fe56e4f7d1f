import { expect, test } from 'vitest';
import { statusOf } from '../command-output.ts';
import { addressAt } from '../flows.ts';
import { createLab } from '../labs.ts';
import { useSmallBuffer } from '../overrun.ts';
import type { FirewallNode } from '../rig/node.ts';
import { planClient, SERVER } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';
import { Story } from '../story.ts';
import { untilSameTables } from '../tables.ts';

/** `timeouts.conntrackd`, and a second between two looks. */
const NOTICED_MS = 3000;
const HEALED_MS = 20_000;

/** Connections that come and go while conntrackd stands still: more than the small buffer holds. */
const COUNT = 5000;
const FROM = addressAt(planClient(1), 'fw1');
/** Where those come from that come and go. */
const OTHER = addressAt(planClient(2), 'fw1');

const comeAndGo = async (node: FirewallNode): Promise<void> => {
  const flow = `-A -p tcp --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 600 -s ${OTHER} -d ${SERVER} --dport 443`;
  const flows = Array.from({ length: COUNT }, (_, index) => `${flow} --sport ${20_000 + index}`);
  await node.writeConfiguration('/etc/burst', `${flows.join('\n')}\n`);
  await node.run(['conntrack', '-R', '/etc/burst']);
  await node.run(['conntrack', '-D', '-s', OTHER]);
};

/** Entries that the kernel counts and doesn't list any more: it keeps them until conntrackd has heard of their end. */
const kept = async (node: FirewallNode): Promise<number> => {
  const listed = (await node.run(['conntrack', '-L'])).split('\n').filter((line) => line.includes('src='));
  return Number(await node.run(['conntrack', '-C'])) - listed.length;
};

/** Others of the lab's flows may come and go between the two looks. */
const FEW = 50;

const begin = async (change: (rendered: string) => string) => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const flows = (['busy', 'udp', 'bulk'] as const).map((kind) => ({ id: `c1.${kind}`, kind, from: FROM }));
  const story = await Story.begin(lab, 'none', flows);
  const owner = lab.node('fw1');
  await useSmallBuffer(owner, change);
  await until(
    'conntrackd',
    async () => (await statusOf(owner)).conntrackd,
    10_000,
    (seen) => seen === 'ok',
  );
  await untilSameTables(lab, HEALED_MS);
  return { lab, owner, story };
};

/** Stops the owner's conntrackd. Returns when the agent has said so, in its status and its log. */
const stop = async (owner: FirewallNode): Promise<void> => {
  const began = performance.now();
  await owner.daemon('conntrackd').kill('SIGSTOP');
  const stuck = async () =>
    (await statusOf(owner)).warnings.some(({ text }) => text.startsWith('conntrackd is stuck: '));
  await until('the stuck conntrackd to be noticed', stuck, 2 * NOTICED_MS);
  expect(performance.now() - began).toBeLessThan(NOTICED_MS + 500);
  expect((await statusOf(owner)).conntrackd).toBe('stuck');
  expect(await owner.daemon('agent').output()).toContain("takes connections and doesn't answer");
};

test.each([
  {
    what: 'runs on',
    end: (owner: FirewallNode) => owner.daemon('conntrackd').kill('SIGCONT'),
  },
  {
    what: 'is killed and started again',
    end: async (owner: FirewallNode) => {
      await owner.daemon('conntrackd').kill('SIGKILL');
      await owner.startConntrackd();
    },
  },
])(
  'a stuck conntrackd is noticed, the table does not fill, and all is well when it $what',
  {
    timeout: 120_000,
  },
  async ({ end }) => {
    const { lab, owner, story } = await begin((rendered) => rendered);
    await stop(owner);
    await comeAndGo(owner);
    expect(await kept(owner)).toBeLessThan(FEW);
    await story.answered();
    await end(owner);
    await until(
      'conntrackd',
      async () => (await statusOf(owner)).conntrackd,
      10_000,
      (seen) => seen === 'ok',
    );
    await untilSameTables(lab, HEALED_MS);
    await story.synced('fw2');
    await story.powerCut('fw1');
    await story.answered();
    await story.expectAllWell();
  },
);

test('with NetlinkEventsReliable on, a stuck conntrackd would fill the table', {
  timeout: 120_000,
}, async () => {
  const { owner } = await begin((rendered) =>
    rendered.replace('NetlinkEventsReliable off', 'NetlinkEventsReliable on'),
  );
  await stop(owner);
  await comeAndGo(owner);
  expect(await kept(owner)).toBeGreaterThan(COUNT / 2);
  await owner.daemon('conntrackd').kill('SIGCONT');
  await until(
    'the ended entries to go',
    () => kept(owner),
    30_000,
    (count) => count < FEW,
  );
});
