import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ClusterConfig } from '../../src/config/types.ts';
import type { Daemon } from '../lab/rig/daemon.ts';
import { until } from '../lab/rig/wait.ts';
import { askKind, expectAnswers, hostPorts, KINDS } from './rig/asking.ts';
import { crossingConfig, type Delivery, macOf } from './rig/config.ts';
import { addressOf, Crossing, SERVER, SIDES, sourcesOf } from './rig/crossing.ts';

/** Shared on the LAN, as every node's address of the link. */
const ROUTER = 'fe80::5';
const { device, prefix } = SIDES.lan;

let crossing: Crossing;
let advertisers: readonly Daemon[] = [];
let loaded: ClusterConfig | undefined;

beforeAll(async () => {
  crossing = await Crossing.build();
  const host = crossing.hosts.lan;
  await host.ip(['route del ::/0']);
  await host.run(['sysctl', '-qw', 'net.ipv6.conf.eth0.accept_ra=1', 'net.ipv6.conf.eth0.autoconf=0']);
}, 60_000);
afterAll(() => crossing?.remove());

afterEach(async () => {
  await Promise.all(advertisers.map((advertiser) => advertiser.kill()));
  await crossing.hosts.lan.ip(['neigh flush all']);
  await crossing.hosts.lan.run(['ip', '-6', 'route', 'flush', 'proto', 'ra']);
});

/** Both nodes advertise the address that they share; by default radvd adds the interface's own MAC. */
const advertise = async (delivery: Delivery, withMac: boolean): Promise<void> => {
  if (loaded !== undefined) await crossing.unload(loaded);
  const config = crossingConfig({ delivery, snat: true });
  const withRouter = (leg: (typeof config.interfaces)[number]) =>
    leg.name === device ? { ...leg, addresses: [...leg.addresses, { address: ROUTER, prefix: 64 }] } : leg;
  loaded = { ...config, interfaces: config.interfaces.map(withRouter) };
  await crossing.load(loaded);
  const path = join(crossing.directory.path, 'radvd.conf');
  await writeFile(
    path,
    `interface ${device} {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  AdvRASrcAddress { ${ROUTER}; };
  AdvSourceLLAddress ${withMac ? 'on' : 'off'};
  prefix ${prefix.ip6}:/64 { };
};
`,
  );
  advertisers = await Promise.all(
    Object.entries(crossing.nodes).map(([name, node]) =>
      node.spawn('radvd', ['radvd', '-n', '-C', path, '-p', `/run/radvd-${name}.pid`, '-m', 'stderr']),
    ),
  );
  await until(
    'the host to have a router',
    () => crossing.hosts.lan.run(['ip', '-6', 'route', 'show', 'default']),
    10_000,
    (text) => text.includes(`via ${ROUTER} dev eth0 proto ra`),
  );
};

const server = { address: addressOf('wan', 'ip6', SERVER), ...hostPorts };

it.each(['multicast', 'igmp', 'stealth'] as const)(
  'hosts take the shared address of the link as their router, and its MAC is the shared one: %s',
  async (delivery) => {
    await advertise(delivery, false);
    const { lan } = crossing.hosts;
    for (const kind of KINDS) expectAnswers(kind, await askKind(crossing, kind, 'lan', server));
    expect(await lan.run(['ip', 'neigh', 'show', ROUTER])).toContain(macOf('lan', delivery));
    // One router, and not one more of each node.
    expect((await lan.run(['ip', '-6', 'route', 'show', 'default'])).trim().split('\n')).toHaveLength(1);
  },
);

it('an advertisement with the MAC of a node has everything sent to that node alone', async () => {
  await advertise('multicast', true);
  const replies = await crossing.ping('lan', server.address, sourcesOf('lan', 'ip6'));
  const served = Object.values(replies).filter((answers) => answers.length > 0).length;
  expect(served).toBeGreaterThan(0);
  expect(served).toBeLessThan(sourcesOf('lan', 'ip6').length);
});
