import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, it } from 'vitest';
import { gratuitousArp } from '../../src/dataplane/announce/gratuitous-arp.ts';
import { neighbourAdvertisement } from '../../src/dataplane/announce/neighbour-advertisement.ts';
import { Ears, type Heard } from '../../src/dataplane/heard.ts';
import { planOf } from '../../src/dataplane/plan.ts';
import { removal, renderNftables } from '../../src/dataplane/render.ts';
import { listLinks } from '../../src/kernel/links.ts';
import { PacketSocket } from '../../src/kernel/packet-socket.ts';
import { until } from '../lab/rig/wait.ts';
import { clusterConfig } from '../support/cluster-config.ts';
import { advertisement, datagram } from '../support/frames.ts';

const ip = (line: string) => execa('ip', line.split(' '));
const nft = (input: string) => execa('nft', ['-f', '-'], { input });

const base = clusterConfig();
const config = clusterConfig({
  interfaces: base.interfaces.map((one) =>
    one.name === 'eth1'
      ? { ...one, addresses: [...one.addresses, { address: 'fd00:1::5', prefix: 64 }] }
      : one,
  ),
});
const [fw1] = config.nodes;
if (fw1 === undefined) throw new RangeError('no node');
const plan = planOf(config, fw1);
const OUR_MAC = '01:00:5e:00:01:01';
const OTHER = '02:00:00:00:99:01';
/** The stranger's ends of our legs and of the sync link. */
const ENDS = { eth1: 'far1', eth2: 'far2', eth3: 'far3' } as const;

let socket: PacketSocket;
let ears: Ears;

beforeAll(async () => {
  for (const [near, far] of Object.entries(ENDS)) {
    await ip(`link add ${near} type veth peer name ${far}`);
    for (const name of [near, far]) await ip(`link set ${name} addrgenmode none up`);
  }
  await ip('address add 10.99.0.1/24 dev eth3');
  socket = await PacketSocket.open();
});

beforeEach(async () => {
  ears?.close();
  ears = new Ears(plan);
  await nft(renderNftables(config, fw1, await listLinks()));
});

afterAll(async () => {
  ears.close();
  socket.close();
  await nft(removal);
  for (const near of Object.keys(ENDS)) await ip(`link del ${near}`);
});

const send = async (near: keyof typeof ENDS, frame: Uint8Array): Promise<void> => {
  const name = ENDS[near];
  const link = (await listLinks()).find((one) => one.name === name);
  if (link === undefined) throw new RangeError(`no ${name}`);
  socket.send(frame, link);
};

const macOf = async (name: string): Promise<string> =>
  (await listLinks()).find((link) => link.name === name)?.mac ?? '';

const hears = async (what: Partial<Heard>): Promise<void> => {
  const expected = { vrrp: [], neighbours: [], senders: [], ...what };
  await until(
    `${JSON.stringify(expected)}`,
    () => ears.listen(),
    2000,
    (heard) => JSON.stringify(heard) === JSON.stringify(expected),
  );
};

const router = { mac: OTHER, source: '192.168.0.99', priority: 150 };

it('hears advertisements of version 3 with our VRIDs where keepalived speaks, and no others', async () => {
  await send('eth1', advertisement({ ...router, vrid: 49 }));
  await send('eth1', advertisement({ ...router, vrid: 52 }));
  await send('eth1', advertisement({ ...router, vrid: 50, version: 2 }));
  await send('eth2', advertisement({ ...router, vrid: 50 }));
  await send('eth1', advertisement({ ...router, vrid: 51 }));
  await hears({ vrrp: [{ source: '192.168.0.99', vrid: 51, priority: 150 }] });
});

it('has forgotten after a few seconds what it has heard once', { timeout: 15_000 }, async () => {
  await send('eth1', advertisement({ ...router, vrid: 50 }));
  await hears({ vrrp: [{ source: '192.168.0.99', vrid: 50, priority: 150 }] });
  await until(
    'silence',
    () => ears.listen(),
    8000,
    ({ vrrp }) => vrrp.length === 0,
  );
});

it('hears who says by ARP that a shared address is his, or that another one has the shared MAC', async () => {
  const said = (address: string, mac: string) => gratuitousArp({ address, mac, source: OTHER });
  await send('eth1', said('192.168.0.77', '02:00:00:00:99:77'));
  await send('eth1', said('0.0.0.0', OUR_MAC));
  await send('eth1', said('192.168.0.5', OTHER));
  await send('eth2', said('192.168.1.66', '01:00:5e:00:01:02'));
  // With the other interface's MAC it is nothing here.
  await send('eth2', said('192.168.1.67', OUR_MAC));
  await hears({
    neighbours: [
      { device: 'eth1', mac: OTHER, address: '192.168.0.5' },
      { device: 'eth2', mac: OTHER, address: '192.168.1.66' },
    ],
  });
});

it('hears the same in neighbour discovery', async () => {
  const said = (address: string, mac: string) => neighbourAdvertisement({ address, mac, source: OTHER });
  await send('eth1', said('fd00:1::77', '02:00:00:00:99:77'));
  await send('eth1', said('fd00:1::5', OTHER));
  await hears({ neighbours: [{ device: 'eth1', mac: OTHER, address: 'fd00:1::5' }] });
});

it('hears the shared MAC with another IPv6 address', async () => {
  await send('eth1', neighbourAdvertisement({ address: 'fd00:1::66', mac: OUR_MAC, source: OTHER }));
  await hears({ neighbours: [{ device: 'eth1', mac: OTHER, address: 'fd00:1::66' }] });
});

it("hears what a second cluster of the same configuration announces, also what it drops as another node's", async () => {
  await send('eth1', gratuitousArp({ address: '192.168.0.5', mac: OUR_MAC, source: OTHER }));
  await hears({ neighbours: [{ device: 'eth1', mac: OTHER, address: '192.168.0.5' }] });
});

it("hears who sends to the synchronisation's ports and is no peer", async () => {
  const to = { mac: await macOf('eth3'), address: '10.99.0.1', port: 3781 };
  await send('eth3', datagram(to, { mac: OTHER, address: '10.99.0.2' }));
  await send('eth3', datagram({ ...to, port: 3779 }, { mac: OTHER, address: '10.99.0.8' }));
  await send('eth3', datagram(to, { mac: OTHER, address: '10.99.0.7' }));
  await hears({ senders: ['10.99.0.7'] });
});

it('hears nothing where no rules are loaded', async () => {
  await nft(removal);
  await hears({});
});
