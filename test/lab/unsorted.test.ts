import { expect, test } from 'vitest';
import { bringUp } from './cluster.ts';
import { addressAt } from './flows.ts';
import { createLab } from './labs.ts';
import type { Lab } from './rig/lab.ts';
import { SERVER, SHARED } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares } from './shares.ts';

const PORT = 9999;
const TIMES = 5;

/** c1 sends what is fw2's to fw1's own MAC, a datagram a millisecond: by the shared one the kernel would forward nothing by itself. */
const sendForeign = async (lab: Lab): Promise<void> => {
  const { plan, machine } = lab.client('c1');
  const { mac } = lab.node('fw1').plan.links.inside;
  await machine.ip([`neigh replace ${SHARED.inside} lladdr ${mac} dev eth0 nud permanent`]);
  const program = `
    const socket = require('node:dgram').createSocket('udp4');
    socket.on('error', () => {});
    socket.bind(0, ${JSON.stringify(addressAt(plan, 'fw2'))}, () => {
      setInterval(() => socket.send('foreign', ${PORT}, ${JSON.stringify(SERVER)}, () => {}), 1);
    });`;
  await machine.spawn('foreign', [process.execPath, '-e', program]);
};

/** How many of them a node has sent on, by the switch outside. */
const countLeaks = async (lab: Lab): Promise<() => Promise<number>> => {
  const { machine } = lab.wire('outside');
  const table = `table netdev lab_leaks {
    chain in { type filter hook ingress device "fw1" priority 0; udp dport ${PORT} counter; }
  }`;
  await machine.run(['nft', '-f', '-'], { input: table });
  return async () => {
    const text = await machine.run(['nft', 'list', 'table', 'netdev', 'lab_leaks']);
    return Number(/packets (\d+)/.exec(text)?.[1]);
  };
};

test('an interface that was made a moment ago forwards nothing that is another node’s', async () => {
  const lab = await createLab({ clients: 1, cluster: { snat: false, manager: 'none' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'none')));
  await untilShares(lab, HOMES);
  const fw1 = lab.node('fw1');
  const leaks = await countLeaks(lab);
  await sendForeign(lab);
  for (let time = 1; time <= TIMES; time += 1) {
    await fw1.removeLink('inside');
    await fw1.makeLink('inside');
    await until(
      'the shared address',
      async () => (await fw1.run(['ip', 'address', 'show', 'dev', 'eth1'])).includes(`${SHARED.inside}/32`),
      5000,
    );
  }
  expect(await leaks()).toBe(0);
  // Nothing but our rules keeps it from that.
  await fw1.daemon('agent').kill();
  await fw1.run(['nft', 'delete chain netdev conntrack_ha leg_1; flush chain inet conntrack_ha unsorted']);
  await until('leaks', leaks, 5000);
}, 60_000);
