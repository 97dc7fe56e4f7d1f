import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Warning } from '../../src/cluster/warning.ts';
import { agentUp } from './cluster.ts';
import { establishedFlows } from './flows.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares, watchOwned } from './shares.ts';
import { Story } from './story.ts';
import { warningsOf } from './warnings.ts';

const KEY = '/etc/conntrack-ha/key';

const isOther = ({ code }: Warning): boolean => code === 'other-cluster';

const restart = async (node: FirewallNode, key: string): Promise<void> => {
  await node.writeConfiguration(KEY, key, 0o600);
  await node.daemon('agent').kill();
  await node.startAgent();
  await agentUp(node);
};

test('the word of a node with another key moves nothing; with the right one it does', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  const story = await Story.begin(lab, 'none', establishedFlows(lab));
  const key = `${await fw2.run(['cat', KEY])}\n`;
  const from = Date.now();
  await restart(fw2, randomBytes(32).toString('hex'));
  const changes = await watchOwned(fw1);
  await fw2.product(['takeover', 'fw1']);
  await untilShares(lab, { fw1: 'home', fw2: 'all' });
  await story.answered();
  expect(await changes()).toEqual([]);
  expect(await fw1.daemon('agent').output()).toMatch(/dropped a message from .*: /);
  const warnings = await until(
    'the other key to be named',
    () => warningsOf(fw1),
    5000,
    (all) => all.some(isOther),
  );
  expect(warnings.find(isOther)?.text).toMatch(
    /^10\.99\.0\.2 sends the agent messages of the node fw2 of a cluster lab, the name of this one, sealed with another key: /,
  );

  await restart(fw2, key);
  // Of two owners that see each other, the first in order keeps it.
  await untilShares(lab, HOMES);
  story.note({ from, to: Date.now() });
  await story.steady();
  await story.synced('fw2');
  const asked = Date.now();
  await fw2.product(['takeover', 'fw1']);
  await story.changes({ fw1: 'none', fw2: 'all' }, asked);
  await story.steady();
  await story.expectAllWell();
});
