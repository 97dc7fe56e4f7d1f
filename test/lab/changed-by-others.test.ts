import { expect, test } from 'vitest';
import { beginStory, bounceStory, giveOwn6, NAMES, remakeStory, untilWell } from './changed-interfaces.ts';
import { bringUp, restartAgent } from './cluster.ts';
import { createLab } from './labs.ts';
import { TAKEN, type Taken } from './others.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';
import { warningTexts } from './warnings.ts';

/** Whatever others change is put back within a second; the rest is what it takes to see that. */
const MENDED_MS = 1000;
const SEEN_MS = 300;

/** Milliseconds until it is there again. */
const timeToMend = async (node: FirewallNode, { what, take, isThere }: Taken): Promise<number> => {
  await take(node);
  const from = Date.now();
  await until(`${what} on ${node.name}`, () => isThere(node), 5000);
  return Date.now() - from;
};

test('whatever start has put into the kernel is there again within a second', async () => {
  const { lab, story } = await beginStory();
  for (const name of NAMES) {
    const times: string[] = [];
    for (const taken of TAKEN) {
      const milliseconds = await timeToMend(lab.node(name), taken);
      times.push(`${taken.what} ${milliseconds}`);
      expect(milliseconds, taken.what).toBeLessThan(MENDED_MS + SEEN_MS);
    }
    console.log(`${name}: ${times.join(', ')} ms`);
    await story.answered();
    expect(await lab.node(name).daemon('agent').output()).toMatch(
      /eth1: address 192\.168\.0\.5\/32 was missing for up to 0\.\d s; put back/,
    );
    expect(await warningTexts(lab.node(name))).toEqual([]);
  }
  await story.steady();
  await story.expectAllWell();
}, 120_000);

test.each([
  {
    delivery: 'stealth',
    take: ['bridge', 'fdb', 'delete', '02:00:5e:00:01:01', 'dev', 'eth1', 'self'],
    show: ['bridge', 'fdb', 'show', 'dev', 'eth1'],
    there: '02:00:5e:00:01:01',
  },
  {
    delivery: 'igmp',
    take: ['ip', 'address', 'delete', '239.0.1.1/32', 'dev', 'eth1'],
    show: ['ip', 'maddress', 'show', 'dev', 'eth1'],
    there: '239.0.1.1',
  },
] as const)(
  'what delivery $delivery needs comes back too',
  async ({ delivery, take, show, there }) => {
    const lab = await createLab({ clients: 0, cluster: { snat: true, manager: 'none', delivery } });
    const fw1 = lab.node('fw1');
    await bringUp(fw1, 'none');
    expect(await fw1.run(show)).toContain(there);
    await fw1.run(take);
    const from = Date.now();
    await until(there, async () => (await fw1.run(show)).includes(there), 5000);
    expect(Date.now() - from).toBeLessThan(MENDED_MS + SEEN_MS);
    expect(await fw1.daemon('agent').output()).toMatch(/eth1: .* was missing .*; put back/);
  },
  60_000,
);

test('without the watch nothing comes back', async () => {
  const lab = await createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  await Story.begin(lab, 'keepalived', []);
  const fw1 = lab.node('fw1');
  await restartAgent(fw1, 'parts');
  for (const { take } of TAKEN) await take(fw1);
  const taken = Date.now();
  await until('more than a second', () => Date.now() > taken + MENDED_MS + SEEN_MS, 5000);
  expect(await Promise.all(TAKEN.map(({ isThere }) => isThere(fw1)))).toEqual(TAKEN.map(() => false));
}, 60_000);

test.each(['inside', 'sync'] as const)(
  'an interface that is removed and made again: %s',
  (side) => remakeStory(side),
  180_000,
);

test('links of both nodes down, and up after a second', () => bounceStory(NAMES, 1000), 120_000);

test('rules that went with their interface, as before Linux 6.16, are not laid on another program', async () => {
  const lab = await createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'none' } });
  const fw1 = lab.node('fw1');
  await bringUp(fw1, 'none');
  await fw1.run(['ip', 'link', 'delete', 'eth1']);
  const chains = ['leg_1', 'announce_leg_1'].map((name) => `chain netdev conntrack_ha ${name}`);
  await fw1.run(['nft', '-f', '-'], {
    input: chains.map((chain) => `flush ${chain}\ndelete ${chain}\n`).join(''),
  });
  const told = await until(
    'the log',
    () => fw1.daemon('agent').output(),
    5000,
    (text) => text.includes('rules loaded again'),
  );
  expect(told).toContain('eth1 is gone: rules loaded again');
  expect(told).not.toContain('another program');
  await lab.wire('inside').remove('fw1');
  await fw1.makeLink('inside');
  await until(
    'the address',
    async () => (await fw1.run(['ip', 'address', 'show', 'dev', 'eth1'])).includes('192.168.0.5/32'),
    5000,
  );
}, 60_000);

test('an interface gets another name and its old one again, and another MAC', async () => {
  const { lab, story } = await beginStory();
  for (const name of NAMES) {
    const node = lab.node(name);
    const from = Date.now();
    await node.run(['ip', 'link', 'set', 'eth1', 'down']);
    await node.run(['ip', 'link', 'set', 'eth1', 'name', 'lan9']);
    await node.run(['ip', 'link', 'set', 'lan9', 'up']);
    await until(
      'shared addresses to leave the other name',
      async () => !(await node.run(['ip', 'address', 'show', 'dev', 'lan9'])).includes('192.168.0.5/'),
      MENDED_MS + SEEN_MS,
    );
    await story.answered();
    await node.run(['ip', 'link', 'set', 'lan9', 'down']);
    await node.run(['ip', 'link', 'set', 'lan9', 'name', 'eth1']);
    await node.run(['ip', 'link', 'set', 'eth1', 'up']);
    await giveOwn6(node, 'inside');
    story.note({ from, to: Date.now() });
    await untilWell(lab, story);
    const changed = Date.now();
    await node.run(['ip', 'link', 'set', 'eth1', 'address', '02:00:00:00:77:01']);
    await until(
      'rules for the new MAC',
      async () =>
        (await node.run(['nft', 'list', 'chain', 'netdev', 'conntrack_ha', 'announce_leg_1'])).includes(
          '7701',
        ),
      MENDED_MS + SEEN_MS,
    );
    story.note({ from: changed, to: Date.now() });
    await untilWell(lab, story);
  }
  await story.steady();
  await story.expectAllWell();
}, 180_000);
