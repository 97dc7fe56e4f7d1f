import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LegProofs } from '../../src/agent/leg-proofs.ts';
import { LEG_ETHER_TYPE } from '../../src/cluster/leg-hearing.ts';
import { ethernetFrame } from '../../src/dataplane/announce/ethernet.ts';
import { FrameReceiver } from '../../src/kernel/frame-receiver.ts';
import { listLinks, openLinkChannel } from '../../src/kernel/links.ts';
import { PacketSocket } from '../../src/kernel/packet-socket.ts';
import { encodeLegPayload } from '../../src/peers/leg-payload.ts';
import { until } from '../lab/rig/wait.ts';
import { clusterConfig, nodeNamed, SHARED_MAC } from './dataplane/cluster-config.ts';

// Two nodes in one network: fw1's leg is one end of a cable, fw2's the other.

const KEY = Buffer.alloc(32, 7);
const LOOK_MS = 50;

const config = (() => {
  const { interfaces, ...more } = clusterConfig({ snat: false });
  const nodes = more.nodes.map((node) => ({
    ...node,
    devices: { eth1: node.name === 'fw1' ? 'near-end' : 'far-end' },
  }));
  return { ...more, nodes, interfaces: interfaces.slice(0, 1) };
})();

const ip = (...args: string[]) => execa('ip', args);

const linkNamed = async (name: string) => {
  const link = (await listLinks()).find((one) => one.name === name);
  if (link === undefined) throw new RangeError(`there is no ${name}`);
  return link;
};

const said: string[] = [];
const log = { info: (text: string) => said.push(text), warn: (text: string) => said.push(text) };

let fw1: LegProofs;
let fw2: LegProofs;
let timer: NodeJS.Timeout;
/** fw2 says that it hears fw1, whatever it does: a flood comes to both. */
let claims = false;
const channel = openLinkChannel();

beforeEach(async () => {
  said.length = 0;
  claims = false;
  await ip('link', 'add', 'near-end', 'type', 'veth', 'peer', 'name', 'far-end');
  for (const name of ['near-end', 'far-end']) await ip('link', 'set', name, 'addrgenmode', 'none', 'up');
  fw1 = new LegProofs(config, nodeNamed(config, 'fw1'), KEY, log);
  fw2 = new LegProofs(config, nodeNamed(config, 'fw2'), KEY, log);
  await Promise.all([fw1.begin(), fw2.begin()]);
  timer = setInterval(() => {
    void listLinks(channel).then((links) => {
      const now = performance.now();
      const report = fw2.report();
      fw1.told('fw2', report && claims ? { ...report, heard: { eth1: { fw1: 100 } } } : report, [], now);
      fw2.told('fw1', fw1.report(), [], now);
      fw1.look(links);
      fw2.look(links);
    });
  }, LOOK_MS);
});

afterEach(async () => {
  clearInterval(timer);
  fw1.close();
  fw2.close();
  await execa('nft', ['delete', 'table', 'netdev', 'withheld'], { reject: false });
  await ip('link', 'del', 'near-end').catch(() => undefined);
});

const drop = (device: string, match: string) =>
  execa('nft', ['-f', '-'], {
    input: `table netdev withheld { chain in { type filter hook ingress device "${device}" priority 0; ${match} drop; }\n}\n`,
  });

const hearing = (proofs: LegProofs) => proofs.status[0]?.hearing;

const untilHeard = () =>
  until(
    'both to hear each other',
    () => [hearing(fw1), hearing(fw2)],
    3000,
    (both) => both.join() === 'heard,heard',
  );

it('a node that gets no frames to the shared MAC is deaf within 2.5 s, and its peer isn’t', async () => {
  await untilHeard();
  expect(fw1.problem('eth1')).toBeUndefined();
  const from = performance.now();
  await drop('near-end', `ether daddr ${SHARED_MAC.inside}`);
  await until('fw1 to be deaf', () => fw1.problem('eth1') !== undefined, 3000);
  expect(performance.now() - from).toBeLessThan(2500);
  expect(hearing(fw1)).toBe('deaf');
  expect(hearing(fw2)).toBe('heard');
  expect(fw2.problem('eth1')).toBeUndefined();
  await execa('nft', ['delete', 'table', 'netdev', 'withheld']);
  await until('fw1 to hear again', () => fw1.problem('eth1') === undefined, 4000);
});

it('says after some seconds that nobody hears anybody, and that it is over', async () => {
  await untilHeard();
  await execa('nft', ['-f', '-'], {
    input: `table netdev withheld {
      chain one { type filter hook ingress device "near-end" priority 0; ether type 0x88b5 drop; }
      chain two { type filter hook ingress device "far-end" priority 0; ether type 0x88b5 drop; }
    }`,
  });
  const codes = () => [...fw1.warnings, ...fw2.warnings].map(({ code, object }) => `${code} ${object}`);
  await until('both to say so', codes, 6000, (all) => all.join() === 'leg-unheard eth1,leg-unheard eth1');
  expect([fw1.problem('eth1'), fw2.problem('eth1')]).toEqual([undefined, undefined]);
  await execa('nft', ['delete', 'table', 'netdev', 'withheld']);
  await until('no warning', codes, 3000, (all) => all.length === 0);
  expect(said).toEqual([
    ...Array.from({ length: 2 }, () => expect.stringMatching(/no node hears another .* \[leg-unheard\]$/)),
    ...Array.from({ length: 2 }, () => 'eth1: it is no longer so that no node hears another there'),
  ]);
});

it('one frame a second leaves each node, to the shared MAC, from its own', async () => {
  await untilHeard();
  const receiver = await FrameReceiver.open(LEG_ETHER_TYPE);
  const near = await linkNamed('near-end');
  const far = await linkNamed('far-end');
  const frames: string[] = [];
  const end = performance.now() + 3000;
  await until('three seconds', () => performance.now() > end, 4000);
  for (let next = receiver.receive(); next !== undefined; next = receiver.receive()) {
    const hex = Buffer.from(next.bytes.subarray(0, 12)).toString('hex');
    frames.push(`${next.index === far.index ? 'near' : 'far'} ${hex}`);
  }
  receiver.close();
  const expected = (from: string, { mac }: { mac: string }) =>
    `${from} ${`${SHARED_MAC.inside}${mac}`.replaceAll(':', '')}`;
  expect(new Set(frames)).toEqual(new Set([expected('near', near), expected('far', far)]));
  expect(frames.length).toBeGreaterThanOrEqual(4);
  expect(frames.length).toBeLessThanOrEqual(8);
});

it('neither forged nor recorded frames make a node heard; a flood makes nobody deaf', async () => {
  await untilHeard();
  const receiver = await FrameReceiver.open(LEG_ETHER_TYPE);
  const far = await linkNamed('far-end');
  const near = await linkNamed('near-end');
  const recorded = await until(
    'a frame of fw2',
    () => {
      const next = receiver.receive();
      return next?.index === near.index ? next.bytes : undefined;
    },
    3000,
  );
  receiver.close();
  // Nothing of fw2 but what is recorded or forged reaches fw1 from now on.
  await drop('near-end', `ether saddr ${far.mac} ether type 0x88b5`);
  const sender = await PacketSocket.open();
  const mac = SHARED_MAC.inside;
  const forged = (counter: number) =>
    ethernetFrame(
      mac,
      '02:00:00:00:99:99',
      LEG_ETHER_TYPE,
      encodeLegPayload(
        Buffer.alloc(32, 8),
        { cluster: 'edge', mac },
        {
          id: 2,
          session: fw2.report()?.session ?? '',
          counter,
        },
      ),
    );
  const again = Uint8Array.from(recorded ?? []);
  again.set(Buffer.from('020000009999', 'hex'), 6);
  let counter = 1_000_000;
  await until(
    'fw1 to be deaf all the same',
    () => {
      sender.send(again, far);
      sender.send(forged(counter++), far);
      return fw1.problem('eth1') !== undefined;
    },
    3500,
  );
  await execa('nft', ['delete', 'table', 'netdev', 'withheld']);
  await until('fw1 to hear again', () => fw1.problem('eth1') === undefined, 4000);
  // More than anybody takes in, so that frames are lost in it.
  claims = true;
  await drop('near-end', `ether saddr ${far.mac} ether type 0x88b5`);
  const end = performance.now() + 4000;
  const problems = new Set<string | undefined>();
  await until(
    'the flood to end',
    () => {
      for (let sent = 0; sent < 400; sent += 1) sender.send(forged(counter++), far);
      problems.add(fw1.problem('eth1'));
      return performance.now() > end;
    },
    6000,
  );
  sender.close();
  expect([...problems]).toEqual([undefined]);
  await until('fw1 to be deaf', () => fw1.problem('eth1') !== undefined, 3500);
});
