import { expect, test } from 'vitest';
import { bringUp, untilActive } from '../cluster.ts';
import { createLab } from '../labs.ts';
import { LogTail } from '../log-tail.ts';
import { untilNoWarning } from '../no-warning.ts';
import { clusterYaml } from '../rig/cluster-config.ts';
import { planNode, SHARED } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';
import { warningsOf } from '../warnings.ts';

/** A minute of silence, and two looks. */
const GONE_MS = 65_000;

test('a host with the shared address is named until a minute after its last word', {
  timeout: 180_000,
}, async () => {
  const cluster = { snat: true, manager: 'keepalived' } as const;
  const lab = await createLab({ clients: 0, nodes: 3, cluster });
  const [fw1, fw2, host] = [lab.node('fw1'), lab.node('fw2'), lab.node('fw3')];
  for (const node of [fw1, fw2]) {
    await node.writeConfiguration(
      '/etc/conntrack-ha/cluster.yaml',
      clusterYaml([1, 2].map(planNode), cluster),
    );
  }
  await Promise.all([fw1, fw2].map((node) => bringUp(node, 'keepalived')));
  await untilActive(lab, { fw1: 32, fw2: 32 });
  await untilNoWarning([fw1, fw2]);
  await host.boot();
  const log = new LogTail(fw1);
  const address = `address-stranger ${host.plan.links.inside.mac} on eth1`;
  const sender = 'other-cluster 10.99.0.3';
  const codes = async (): Promise<readonly string[]> =>
    (await warningsOf(fw1)).map(({ code, object }) => `${code} ${object}`);

  await host.run(['ip', 'address', 'add', `${SHARED.inside}/24`, 'dev', 'eth1']);
  // Nobody has that address: it asks for it, by the shared one.
  await host.run(['ping', '-c1', '-W1', '-I', SHARED.inside, '192.168.0.77']).catch(() => {});
  await host.run(['ip', 'address', 'delete', `${SHARED.inside}/24`, 'dev', 'eth1']);
  await host.run([process.execPath, '-e', SEND]);
  const said = Date.now();
  await until('both to be named', codes, 5000, (all) => all.includes(address) && all.includes(sender));
  console.log(`named ${Date.now() - said} ms after the last word`);
  await until('both to have gone', codes, GONE_MS, (all) => all.length === 0);
  expect(Date.now() - said).toBeGreaterThan(50_000);
  await log.hears(/no longer says on eth1 that a shared address is its own/);
  await log.hears(/10\.99\.0\.3 no longer sends to the synchronisation's ports on eth3/);
});

const SEND =
  "const socket = require('node:dgram').createSocket('udp4'); socket.send('x', 3781, '10.99.0.1', () => socket.close());";
