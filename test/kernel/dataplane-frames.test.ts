import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { portRange } from '../../src/cluster/ranges.ts';
import type { Machine } from '../lab/rig/machine.ts';
import { until } from '../lab/rig/wait.ts';
import type { Question } from './dataplane/ask-program.ts';
import { clusterConfig, SHARED, SHARED_MAC } from './dataplane/cluster-config.ts';
import { bucketOf, CLIENTS, ECHO_PORT, halves, LOWER, MAC, SERVER, Site, UPPER } from './dataplane/site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.build();
}, 60_000);
afterAll(() => site?.remove());

const withSnat = clusterConfig({ snat: true });
const plain = clusterConfig({ snat: false });
const { fw1, fw2 } = halves();
const [lower = ''] = fw1;
const [upper = ''] = fw2;

const load = (config: typeof plain, owned = { fw1: LOWER, fw2: UPPER }) =>
  Promise.all([
    site.load('fw1', config, { owned: owned.fw1 }),
    site.load('fw2', config, { owned: owned.fw2 }),
  ]);

beforeEach(async () => {
  for (const machine of [site.fw1, site.fw2, site.client, site.server]) {
    await machine.ip(['neigh flush all']);
    await machine.run(['nft', '-f', '-'], { input: 'table netdev watch {}\ndelete table netdev watch\n' });
    await machine.run(['nft', '-f', '-'], { input: 'table ip watch {}\ndelete table ip watch\n' });
    await machine.run(['conntrack', '-F']);
  }
});

/** Counts what meets `rules`, each a name and a match, in a chain of the table `watch`. */
const watch = async (
  machine: Machine,
  family: 'netdev' | 'ip',
  hook: string,
  rules: Record<string, string>,
) => {
  const counters = Object.keys(rules).map((name) => `  counter ${name} { }`);
  const lines = Object.entries(rules).map(([name, match]) => `    ${match} counter name ${name}`);
  const input = `table ${family} watch {\n${counters.join('\n')}\n  chain c {\n    type filter hook ${hook}\n${lines.join('\n')}\n  }\n}\n`;
  await machine.run(['nft', '-f', '-'], { input });
  return async (): Promise<Record<string, number>> => {
    const text = await machine.run(['nft', 'list', 'counters', 'table', family, 'watch']);
    const found = [...text.matchAll(/counter (\w+) \{\s+packets (\d+)/g)];
    return Object.fromEntries(found.map(([, name, packets]) => [name, Number(packets)]));
  };
};

/** Frames of the data interfaces that come back from a node, by what it says its MAC is. */
const watchArp = (machine: Machine, address: string, mac: string) =>
  watch(machine, 'netdev', 'ingress device "eth0" priority 0', {
    shared: `arp saddr ip ${address} arp saddr ether ${mac}`,
    other: `arp saddr ip ${address} arp saddr ether != ${mac}`,
  });

const neighbour = async (machine: Machine, address: string): Promise<string> =>
  (await machine.run(['ip', 'neigh', 'show', address])).trim();

/** Nobody has this address. */
const DEAD = '192.168.1.77';

it('answers, asks and announces a shared address with the shared MAC, its own with its own', async () => {
  await load(plain);
  const inside = await watchArp(site.client, SHARED.inside, SHARED_MAC.inside);
  const outside = await watchArp(site.server, SHARED.outside, SHARED_MAC.outside);
  // fw2 has no other address than the shared ones to ask with.
  expect(await site.pingable(SERVER, [upper])).toEqual([upper]);
  await until('answers of both nodes', inside, 2000, ({ shared = 0 }) => shared >= 2);
  await until('a question of fw2', outside, 2000, ({ shared = 0 }) => shared >= 1);
  expect(await neighbour(site.client, SHARED.inside)).toContain(SHARED_MAC.inside);
  expect(await site.pingable('192.168.0.251', [lower])).toEqual([lower]);
  expect(await neighbour(site.client, '192.168.0.251')).toContain(MAC.fw1);

  // With arp_notify the kernel announces the addresses of a device whose MAC is set.
  const before = (await inside())['shared'] ?? 0;
  await site.fw2.run(['sysctl', '-qw', 'net.ipv4.conf.eth1.arp_notify=1']);
  await site.fw2.ip([`link set eth1 address ${MAC.fw2}`]);
  await until('an announcement', inside, 2000, ({ shared = 0 }) => shared > before);
  await site.fw2.run(['sysctl', '-qw', 'net.ipv4.conf.eth1.arp_notify=0']);
  expect((await inside())['other']).toBe(0);
  expect((await outside())['other']).toBe(0);
});

it('announces with the shared MAC what a program announces through a packet socket', async () => {
  await load(plain);
  const inside = await watchArp(site.client, SHARED.inside, SHARED_MAC.inside);
  const instance = `vrrp_instance a {
    state MASTER
    interface eth1
    virtual_router_id 9
    priority 255
    garp_master_delay 0
    virtual_ipaddress {
      ${SHARED.inside}/24
    }
  }`;
  await site.fw1.run(['sh', '-c', 'cat > /run/keepalived.conf'], { input: instance });
  const keepalived = await site.fw1.spawn('keepalived', [
    'keepalived',
    '-n',
    '-l',
    '-f',
    '/run/keepalived.conf',
    '-p',
    '/run/k.pid',
    '-r',
    '/run/kv.pid',
  ]);
  await until('announcements of keepalived', inside, 10_000, ({ shared = 0 }) => shared >= 3);
  await keepalived.kill();
  expect((await inside())['other']).toBe(0);
});

it('takes an answer to the shared MAC for a confirmation of the neighbour', async () => {
  await load(plain);
  expect(await site.pingable(SERVER, [upper])).toEqual([upper]);
  expect(await neighbour(site.fw2, SERVER)).toMatch(/REACHABLE$/);
});

it("drops foreign packets that come to a node's own MAC, unless they are for an address of its own", async () => {
  await load(plain);
  await site.client.ip([`neigh replace ${SHARED.inside} lladdr ${MAC.fw1} dev eth0 nud permanent`]);
  const replies = await site.ask();
  expect(CLIENTS.filter((source) => (replies[source] ?? []).length > 0)).toEqual(fw1);
  expect(await site.flows('fw1')).toHaveLength(fw1.length);
  expect(await site.pingable(SHARED.inside, CLIENTS)).toEqual(fw1);
  expect(await site.pingable('192.168.0.251', CLIENTS)).toEqual(CLIENTS);
  await site.client.ip([`neigh del ${SHARED.inside} dev eth0`]);
});

it('lets the own addresses of the other side be reached through the shared MAC', async () => {
  await load(plain, { fw1: [], fw2: [] });
  expect(await site.pingable('192.168.1.251', CLIENTS)).toEqual(CLIENTS);
});

it('answers on a shared address from the owner of the client only', async () => {
  await load(withSnat, { fw1: LOWER, fw2: [] });
  expect(await site.pingable(SHARED.inside, CLIENTS)).toEqual(fw1);
  const owner = bucketOf(SERVER) < 32;
  const ping = () =>
    site.server.run(['ping', '-q', '-c1', '-W1', SHARED.outside]).then(
      () => true,
      () => false,
    );
  expect(await ping()).toBe(owner);
  await load(withSnat, { fw1: [], fw2: UPPER });
  expect(await ping()).toBe(!owner);
});

it('leaves multicasts and broadcasts to every node', async () => {
  await load(plain, { fw1: [], fw2: [] });
  const counts = await Promise.all(
    [site.fw1, site.fw2].map((machine) =>
      watch(machine, 'ip', 'prerouting priority -400', {
        multicast: 'iifname eth1 ip daddr 224.0.0.18',
        broadcast: 'iifname eth1 ip daddr 192.168.0.255',
      }),
    ),
  );
  for (const target of ['224.0.0.18', '192.168.0.255']) {
    await site.client.run(['ping', '-b', '-q', '-c1', '-W1', '-I', 'eth0', target]).catch(() => undefined);
  }
  for (const count of counts) expect(await count()).toEqual({ multicast: 1, broadcast: 1 });
});

it("leaves the administrator's mark alone", async () => {
  await load(plain);
  const input =
    'table netdev watch { chain m { type filter hook ingress device "eth1" priority -600; meta mark set 0x1234; }; }';
  await site.fw1.run(['nft', '-f', '-'], { input });
  // Until there (raw) the priority says that the packet has been sorted.
  const count = await watch(site.fw1, 'ip', 'prerouting priority -299', {
    kept: 'iifname eth1 meta mark 0x1234 meta priority 0',
    changed: 'iifname eth1 meta mark != 0x1234',
    scratch: 'meta priority != 0',
  });
  await site.ask();
  expect(await count()).toEqual({ kept: fw1.length * 3, changed: 0, scratch: 0 });
});

it('forwards no frame that is for another station', async () => {
  await load(plain);
  // A switch floods what is for an unknown station; a tcpdump makes the kernel take it in.
  await site.fw1.ip(['link set eth1 promisc on']);
  await site.client.ip([`neigh replace ${SHARED.inside} lladdr 02:00:00:00:99:99 dev eth0 nud permanent`]);
  expect(Object.values(await site.ask()).flat()).toEqual([]);
  expect(await site.flows('fw1')).toEqual([]);
  await site.client.ip([`neigh del ${SHARED.inside} dev eth0`]);
  await site.fw1.ip(['link set eth1 promisc off']);
});

it("takes a router's error from inside to the owner of the flow", async () => {
  await load(plain);
  // The client is the router to 192.168.7.0/24 and says so with an address whose bucket is the other node's.
  const hosts = Array.from({ length: 40 }, (_, index) => `192.168.7.${index + 1}`);
  const [target = ''] = hosts.filter((host) => bucketOf(host) < 32 !== bucketOf(CLIENTS[0] ?? '') < 32);
  for (const machine of [site.fw1, site.fw2])
    await machine.ip([`route add 192.168.7.0/24 via ${CLIENTS[0]}`]);
  await site.client.ip(['route add unreachable 192.168.7.0/24']);
  await site.client.run(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  const output = await site.server.run(['sh', '-c', `ping -c1 -W2 ${target} || :`]);
  expect(output).toContain('Destination Host Unreachable');
  for (const machine of [site.fw1, site.fw2])
    await machine.ip([`route del 192.168.7.0/24 via ${CLIENTS[0]}`]);
});

it('does not say that a host is unreachable: the other node may reach it', async () => {
  await load(plain);
  const output = await site.client.run(['sh', '-c', `ping -c1 -W5 -I ${lower} ${DEAD} || :`]);
  expect(await site.fw1.run(['ip', 'neigh', 'show', DEAD])).toMatch(/FAILED/);
  expect(output).toContain('1 packets transmitted, 0 received');
  expect(output).not.toContain('Unreachable');
});

it('carries fragments, to the SNAT address as well', async () => {
  for (const config of [withSnat, plain]) {
    await load(config);
    expect(await site.pingable(SERVER, [lower, upper], ['-s', '3000'])).toEqual([lower, upper]);
  }
});

it('drops what has no state rather than have it answered', async () => {
  await load(withSnat);
  const script = `
    const socket = require('node:net').connect({ port: ${ECHO_PORT}, host: '${SERVER}', localAddress: '${lower}' });
    socket.on('error', (error) => { console.log(error.code); process.exit(); });
    socket.once('data', () => {
      require('node:fs').writeFileSync('/run/connected', '');
      process.on('SIGUSR1', () => socket.write('again'));
      socket.on('data', () => { console.log('answered'); process.exit(); });
    });
    socket.write('first');`;
  const client = await site.client.spawn('connection', [process.execPath, '-e', script]);
  await until('the connection', () => site.client.run(['ls', '/run/connected']), 5000);
  const states = (await site.fw1.run(['conntrack', '-L', '-o', 'save']))
    .split('\n')
    .filter((line) => line !== '');
  expect(states).toHaveLength(1);
  await site.fw1.run(['conntrack', '-F']);
  await client.kill('SIGUSR1');
  const dropped = async () =>
    /counter packets (\d+).*no state/.exec(
      await site.fw1.run(['nft', 'list', 'chain', 'inet', 'conntrack_ha', 'stateless']),
    )?.[1];
  await until(
    'a drop',
    async () => Number(await dropped()),
    5000,
    (packets) => packets > 0,
  );
  expect(await site.flows('fw1')).toEqual([]);
  expect(client.running).toBe(true);
  await client.kill();
});

it('takes an answer that has no state for no new flow, nor answers it', async () => {
  await load(withSnat);
  const { first: port } = portRange(LOWER[0] ?? 0, 64);
  const from = { sources: [SERVER], sourcePort: ECHO_PORT + 1, to: SHARED.outside };
  expect(await site.ask({ ...from, port }, site.server)).toEqual({ [SERVER]: [] });
  expect(await site.flows('fw1')).toEqual([]);
  // Below are the services of the firewall itself.
  await site.ask({ ...from, port: 1023 }, site.server);
  expect([...(await site.flows('fw1')), ...(await site.flows('fw2'))]).toHaveLength(1);
});

it('keeps what conntrackds tell each other from conntrack, and everybody else from their ports', async () => {
  await load(plain);
  for (const port of [3780, 3781]) await site.fw1.spawn(`echo-${port}`, site.echo(port));
  await until(
    'the listeners',
    () => site.fw1.run(['ss', '-Hltun', 'sport >= 3780']),
    5000,
    (text) => text.split('\n').length === 4,
  );
  const from = { sources: ['10.99.0.2'], sourcePort: 0, to: '10.99.0.1' };
  const asked = async (question: Partial<Question>): Promise<string[]> => {
    for (const machine of [site.fw1, site.fw2]) await machine.run(['conntrack', '-F']);
    expect((await site.ask({ ...from, ...question }, site.fw2))['10.99.0.2']).toHaveLength(3);
    return [...(await site.flows('fw1')), ...(await site.flows('fw2'))];
  };
  expect(await asked({ port: 3780 })).toEqual([]);
  // What agents say is tracked, but for what they say from other ports.
  expect(await asked({ port: 3781, sourcePort: 3781 })).toHaveLength(2);
  expect(await asked({ port: 3781, protocol: 'tcp' })).toHaveLength(2);
  expect(await asked({ port: 3781, protocol: 'tcp', sourcePort: 700 })).toEqual([]);
  const answers = await asked({ port: 3781 });
  expect(answers.filter((line) => /^udp +\d+ \d+ src=10\.99\.0\.2 /.test(line))).toEqual([]);

  // From the client to an own and a shared address, and from a stranger on the sync network.
  for (const to of ['192.168.0.251', SHARED.inside]) {
    expect(Object.values(await site.ask({ to, port: 3780, sources: [lower] })).flat()).toEqual([]);
  }
  await site.fw2.ip(['address add 10.99.0.9/24 dev eth3']);
  expect(await site.ask({ ...from, sources: ['10.99.0.9'], port: 3780 }, site.fw2)).toEqual({
    '10.99.0.9': [],
  });
  await site.fw2.ip(['address del 10.99.0.9/24 dev eth3']);

  // What only passes through isn't meant.
  await site.server.spawn('echo-3780', site.echo(3780));
  await until('the listener', () => site.server.run(['ss', '-Hlun', 'sport = :3780']), 5000);
  expect((await site.ask({ port: 3780, sources: [lower] }))[lower]).toHaveLength(3);
});

it('forwards nothing that came past the rules that sort, and what is its own passes', async () => {
  await load(plain);
  const [foreign = ''] = fw2;
  const replies = async (): Promise<number> => {
    // To fw1's own MAC: by the shared one the kernel forwards nothing that the rules haven't touched.
    await site.client.ip([`neigh replace ${SHARED.inside} lladdr ${MAC.fw1} dev eth0 nud permanent`]);
    const all = await site.ask({ sources: [foreign] });
    await site.client.ip([`neigh del ${SHARED.inside} dev eth0`]);
    return Object.values(all).flat().length;
  };
  expect(await replies()).toBe(0);
  await site.fw1.run(['nft', 'delete', 'chain', 'netdev', 'conntrack_ha', 'leg_1']);
  expect(await replies()).toBe(0);
  expect(await site.fw1.run(['nft', 'list', 'chain', 'inet', 'conntrack_ha', 'unsorted'])).toMatch(
    /packets 3 .*came in past the rules that sort/,
  );
  expect(await site.pingable('192.168.0.251', [lower])).toEqual([lower]);
  // Without that chain's rules they would have been.
  await site.fw1.run(['nft', 'flush', 'chain', 'inet', 'conntrack_ha', 'unsorted']);
  expect(await replies()).toBeGreaterThan(0);
});

it('counts on each leg what is sent to the shared MAC, the same at both nodes, and nothing else', async () => {
  await load(plain);
  const arrived = async (machine: Machine): Promise<readonly number[]> => {
    const text = await machine.run(['nft', 'list', 'counters', 'table', 'netdev', 'conntrack_ha']);
    return [...text.matchAll(/counter arrived_leg_\d \{[^}]*?packets (\d+)/g)].map(([, count]) =>
      Number(count),
    );
  };
  const both = () => Promise.all([arrived(site.fw1), arrived(site.fw2)]);
  expect(await both()).toEqual([
    [0, 0],
    [0, 0],
  ]);
  // By the node's own MAC, and ARP.
  expect(await site.pingable('192.168.0.251', [lower])).toEqual([lower]);
  expect(await both()).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(await site.pingable(SERVER, [lower, upper])).toEqual([lower, upper]);
  const [first = [], second] = await both();
  expect(second).toEqual(first);
  expect(first).toHaveLength(2);
  for (const count of first) expect(count).toBeGreaterThanOrEqual(2);
});
