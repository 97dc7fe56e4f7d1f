import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { agentUp } from '../cluster.ts';
import { createLab } from '../labs.ts';

const STACK = fileURLToPath(new URL('../rig/cluster-stack.sh', import.meta.url));
const HOOKS = fileURLToPath(new URL('../../../hooks', import.meta.url));

test('ocf-tester finds nothing wrong with the resource agent', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'pacemaker' } });
  const node = lab.node('fw1');
  await node.boot();
  await node.startConntrackd(await node.product(['render', 'conntrackd']));
  await node.startAgent();
  await agentUp(node);
  await node.run(['bash', STACK, join(lab.run.path, node.name), HOOKS]);
  const output = await node.run(
    ['ocf-tester', '-n', 'fw1_fw2', '/usr/lib/ocf/resource.d/conntrack-ha/group'],
    { boundMs: 120_000 },
  );
  expect(output).toContain('/usr/lib/ocf/resource.d/conntrack-ha/group passed all tests');
}, 180_000);
