import { expect, test } from 'vitest';
import { agentUp } from '../cluster.ts';
import { createLab } from '../labs.ts';
import { type ClusterOptions, clusterYaml } from '../rig/cluster-config.ts';
import type { Lab } from '../rig/lab.ts';
import { HOMES } from '../shares.ts';
import { Story } from '../story.ts';

const CLUSTER = { snat: true, manager: 'keepalived', replicas: 'cache' } as const satisfies ClusterOptions;

/** As docs/from-the-howto.md has it. */
const move = async (story: Story, name: 'fw1' | 'fw2', firewall: 'nftables' | 'xtables'): Promise<void> => {
  const { lab } = story;
  const node = lab.node(name);
  const from = Date.now();
  await node.product(['drain']);
  await story.changes(name === 'fw1' ? { fw1: 'none', fw2: 'all' } : { fw1: 'all', fw2: 'none' }, from);
  await story.steady();
  await node.daemon('agent').kill('SIGTERM');
  const plans = lab.nodes.map(({ plan }) => plan);
  const text = clusterYaml(plans, { ...CLUSTER, buckets: lab.buckets, firewall });
  await node.writeConfiguration('/etc/conntrack-ha/cluster.yaml', text);
  await node.startAgent();
  await agentUp(node);
  await story.synced(name);
  const back = Date.now();
  await node.product(['resume']);
  await story.changes(HOMES, back);
  await story.steady();
};

const firewallsOf = (lab: Lab): Promise<readonly string[]> =>
  Promise.all(
    lab.nodes.map(async (node) => {
      const tables = await node.run(['nft', 'list', 'tables']);
      const rules = await node.run(['iptables-save']);
      const has = [
        ...(tables.split('\n').includes('table inet conntrack_ha') ? ['nftables'] : []),
        ...(rules.includes('CONNTRACK-HA') ? ['xtables'] : []),
      ];
      return has.join(' and ');
    }),
  );

/** Short: a client's new connections have 2016 ports, and each stays in TIME_WAIT for two minutes. */
const begin = async (): Promise<Story> =>
  Story.begin(await createLab({ cluster: { ...CLUSTER, firewall: 'xtables' } }), 'keepalived');

test('a cluster moves from xtables to nftables and back, a node at a time, and no flow is lost', async () => {
  const story = await begin();
  await move(story, 'fw1', 'nftables');
  expect(await firewallsOf(story.lab)).toEqual(['nftables', 'xtables']);
  await move(story, 'fw2', 'nftables');
  expect(await firewallsOf(story.lab)).toEqual(['nftables', 'nftables']);
  await move(story, 'fw1', 'xtables');
  expect(await firewallsOf(story.lab)).toEqual(['xtables', 'nftables']);
  await story.expectAllWell();
}, 120_000);

test('while it moves, each node takes over from the other, and gives back', async () => {
  const story = await begin();
  await move(story, 'fw2', 'nftables');
  for (const name of ['fw1', 'fw2'] as const) {
    await story.powerCut(name);
    await story.steady();
    await story.comeBack(name);
    await story.steady();
  }
  expect(await firewallsOf(story.lab)).toEqual(['xtables', 'nftables']);
  await story.expectAllWell();
}, 120_000);
