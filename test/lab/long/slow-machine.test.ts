import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { writeDaemons } from '../cluster.ts';
import { createLab } from '../labs.ts';
import { productCommand } from '../rig/node.ts';
import { SlowGroup } from '../rig/slow-group.ts';
import { until } from '../rig/wait.ts';

const HOOK = fileURLToPath(new URL('../../../hooks/start-agent', import.meta.url));
const TIMES = 20;
const WATCH_MS = 120_000;

test('on a machine twenty times slower, the service and its stand-in never end each other', {
  timeout: 300_000,
}, async () => {
  const slow = SlowGroup.create(`conntrack-ha-lab-${process.pid}`, TIMES);
  onTestFinished(() => slow.remove());
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  const node = lab.node('fw1');
  await node.boot();
  await writeDaemons(node);
  await node.startConntrackd();
  await node.product(['start']);
  const [program, main] = productCommand;
  await node.writeConfiguration(
    '/etc/conntrack-ha/program',
    `#!/bin/sh\nexec ${program} ${main} "$@"\n`,
    0o755,
  );
  const env = { CONNTRACK_HA: '/etc/conntrack-ha/program' };
  const unit = `while :; do echo once >>/run/starts; ${HOOK} -c /etc/conntrack-ha/cluster.yaml run; sleep 1; done`;
  const service = await node.machine.spawn('service', slow.entrance(['sh', '-c', unit]), env);
  // What it starts is as slow.
  await node.machine.spawn(
    'keepalived',
    slow.entrance(['keepalived', '-n', '-l', '-D', '-f', '/etc/keepalived/keepalived.conf']),
    env,
  );
  await until('the agent', async () => (await node.product(['status', '--json'])) !== '', 120_000);
  const end = Date.now() + WATCH_MS;
  while (Date.now() < end) {
    expect(readFileSync(node.machine.path('/run/starts'), 'utf8')).toBe('once\n');
    await sleep(500);
  }
  expect(await service.output()).not.toMatch(/another agent|agent ends/);
  expect(await node.ownedBuckets()).toHaveLength(lab.buckets);
});
