import { expect, test } from 'vitest';
import { statusSchema } from '../../../src/observe/status-schema.ts';
import { bringUp } from '../cluster.ts';
import { addressAt, bucketOf } from '../flows.ts';
import { createLab } from '../labs.ts';
import { untilPlaced } from '../placement.ts';
import { SERVER } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';

/** More ports than a bucket has with 64 of them. */
const FLOWS = 1100;
const PORT = 7009;

/** A datagram from each of so many ports. */
const SEND = `
use strict; use Socket;
my ($from, $to, $port, $count) = @ARGV;
for my $own (10000 .. 10000 + $count - 1) {
  socket(my $socket, PF_INET, SOCK_DGRAM, 17) or die "socket: $!";
  bind($socket, sockaddr_in($own, inet_aton($from))) or die "bind: $!";
  send($socket, "x", 0, sockaddr_in($port, inet_aton($to)));
}`;

test('a bucket whose ports are all in use is named in the log and in status', async () => {
  const lab = await createLab({ clients: 1, cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived')));
  await untilPlaced(lab, ['fw1', 'fw2']);
  const { plan, machine } = lab.client('c1');
  const from = addressAt(plan, 'fw1');
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  await machine.run(['perl', '-e', SEND, from, SERVER, String(PORT), String(FLOWS)]);

  const status = async () => statusSchema.parse(JSON.parse(await fw1.product(['status', '--json'])));
  const named = `bucket ${bucketOf(from)} has no port left for UDP to ${SERVER}:${PORT}`;
  const found = await until('the warning', status, 10_000, ({ warnings }) =>
    warnings.some(({ text }) => text.includes(named)),
  );
  expect(found.refused).toBeGreaterThan(0);
  expect(await lab.logs(1000)).toContain(named);
  // Nobody else's business.
  expect(JSON.parse(await fw2.product(['status', '--json']))['refused']).toBe(0);
}, 60_000);
