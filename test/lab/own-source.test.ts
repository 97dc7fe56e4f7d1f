import { expect, test } from 'vitest';
import { bringUp } from './cluster.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { SERVER, SERVER6, SHARED, SHARED6 } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares } from './shares.ts';
import { Traffic } from './traffic/traffic.ts';

const TIMES = 20;

/** The source of each of twenty connections that the node begins, or why there was none. */
const sourcesOf = async (node: FirewallNode, server: string): Promise<readonly string[]> => {
  const program = `
    const { connect } = require('node:net');
    const once = () => new Promise((resolve) => {
      const socket = connect({ host: ${JSON.stringify(server)}, port: 7001, timeout: 3000 });
      const end = (text) => { socket.destroy(); resolve(text); };
      socket.on('connect', () => socket.write('own\\nhello\\n'));
      socket.on('data', () => end(socket.localAddress));
      socket.on('timeout', () => end('no answer from ' + socket.localAddress));
      socket.on('error', (error) => end(error.code));
    });
    Promise.all(Array.from({ length: ${TIMES} }, once)).then((all) => console.log(JSON.stringify(all)));`;
  return JSON.parse(await node.run([process.execPath, '-e', program]));
};

/** What ifup, networkd and netplan do with a node's own addresses of one interface. */
const CHANGES: Readonly<Record<string, (node: FirewallNode) => Promise<void>>> = {
  'as they were at the start': async () => {},
  'taken and given again': async (node) => {
    const own = node.ownAddresses('outside');
    await node.machine.ip(own.map((address) => `addr del ${address.replace(' nodad', '')}`));
    await node.machine.ip(own.map((address) => `addr add ${address}`));
  },
  'taken and given again, with promote_secondaries': async (node) => {
    await node.run(['sysctl', '-qw', 'net.ipv4.conf.eth2.promote_secondaries=1']);
    await CHANGES['taken and given again']?.(node);
  },
  'flushed with all others, and given again': async (node) => {
    await node.machine.ip(['addr flush dev eth2 scope global']);
    await node.machine.ip(node.ownAddresses('outside').map((address) => `addr add ${address}`));
  },
  'gone with the link, and given again': async (node) => {
    await node.machine.ip(['link set eth2 down', 'link set eth2 up']);
    await node.machine.ip(node.ownAddresses('outside').map((address) => `addr replace ${address}`));
  },
};

test.each([
  { own: 'before', change: (node: FirewallNode) => node.machine.ip([]) },
  { own: 'after', change: (node: FirewallNode) => takeOwn(node) },
] as const)(
  'no connection of a node’s own has a shared address, its own being there $own the start',
  async ({ own, change }) => {
    const lab = await createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'none' } });
    await Promise.all(lab.nodes.map((node) => node.boot()));
    await Promise.all(lab.nodes.map(change));
    await Promise.all(lab.nodes.map((node) => bringUp(node, 'none')));
    await untilShares(lab, HOMES);
    if (own === 'after') await Promise.all(lab.nodes.map(giveOwn));
    // Its server is who is connected to.
    await Traffic.start(lab);
    for (const node of lab.nodes) {
      const { address, address6 = '' } = node.plan.links.outside;
      for (const [name, act] of Object.entries(CHANGES)) {
        await act(node);
        expect(await sourcesOf(node, SERVER), `${node.name}, ${name}`).toEqual(
          Array(TIMES).fill(hostOf(address)),
        );
        expect(await sourcesOf(node, SERVER6), `${node.name}, ${name}`).toEqual(
          Array(TIMES).fill(hostOf(address6)),
        );
      }
    }
  },
  120_000,
);

test('what is put as it was before turns round: then they have', async () => {
  const lab = await createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'none' } });
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'none')));
  await untilShares(lab, HOMES);
  await Traffic.start(lab);
  const fw1 = lab.node('fw1');
  await fw1.daemon('agent').kill();
  await takeOwn(fw1);
  await fw1.machine.ip([
    `addr del ${SHARED.outside}/32 dev eth2`,
    `addr add ${SHARED.outside}/${SHARED.prefix} dev eth2`,
    `addr change ${SHARED6.outside}/64 dev eth2 preferred_lft forever`,
  ]);
  await giveOwn(fw1);
  const sources = await sourcesOf(fw1, SERVER);
  expect(sources.join()).toContain(SHARED.outside);
});

/** Where a node has no address of its own the shared one serves, and hosts nearby are reached. */
test('without an own address hosts nearby are reached all the same', async () => {
  const lab = await createLab({ ip6: true, clients: 1, cluster: { snat: true, manager: 'none' } });
  await Promise.all(lab.nodes.map((node) => node.boot()));
  await Promise.all(lab.nodes.map(takeOwn));
  await Promise.all(lab.nodes.map((node) => bringUp(node, 'none')));
  await untilShares(lab, HOMES);
  for (const node of lab.nodes) {
    await until(
      'the way to the server',
      async () => node.run(['ip', 'route', 'get', SERVER]),
      2000,
      (text) => text.includes(`dev eth2 src ${SHARED.outside}`),
    );
  }
});

const takeOwn = async (node: FirewallNode): Promise<void> => {
  for (const side of ['inside', 'outside'] as const) {
    await node.machine.ip(
      node.ownAddresses(side).map((address) => `addr del ${address.replace(' nodad', '')}`),
    );
  }
};

const giveOwn = async (node: FirewallNode): Promise<void> => {
  for (const side of ['inside', 'outside'] as const) {
    await node.machine.ip(node.ownAddresses(side).map((address) => `addr add ${address}`));
  }
};

const hostOf = (address: string): string => address.split('/')[0] ?? '';
