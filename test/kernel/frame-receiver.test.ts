import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ethernetFrame } from '../../src/dataplane/announce/ethernet.ts';
import { FrameReceiver, type ReceivedFrame } from '../../src/kernel/frame-receiver.ts';
import { listLinks } from '../../src/kernel/links.ts';
import { PacketSocket } from '../../src/kernel/packet-socket.ts';
import { until } from '../lab/rig/wait.ts';

const TYPE = 0x88b5;
const MAC = '01:00:5e:00:01:01';
const PAYLOAD = Uint8Array.from({ length: 60 }, (_, index) => index);

const ip = (...args: string[]) => execa('ip', args);

const linkNamed = async (name: string) => {
  const link = (await listLinks()).find((one) => one.name === name);
  if (link === undefined) throw new RangeError(`there is no ${name}`);
  return link;
};

let sender: PacketSocket;
let receiver: FrameReceiver;
beforeEach(async () => {
  await ip('link', 'add', 'near-end', 'type', 'veth', 'peer', 'name', 'far-end');
  for (const name of ['near-end', 'far-end']) await ip('link', 'set', name, 'addrgenmode', 'none', 'up');
  sender = await PacketSocket.open();
  receiver = await FrameReceiver.open(TYPE);
});

afterEach(async () => {
  sender.close();
  receiver.close();
  await ip('link', 'del', 'near-end').catch(() => undefined);
});

const send = async (type = TYPE): Promise<Uint8Array> => {
  const link = await linkNamed('near-end');
  const frame = ethernetFrame(MAC, link.mac, type, PAYLOAD);
  sender.send(frame, link);
  return frame;
};

const received = async (): Promise<readonly ReceivedFrame[]> => {
  const frames: ReceivedFrame[] = [];
  for (let next = receiver.receive(); next !== undefined; next = receiver.receive()) frames.push(next);
  return frames;
};

it('receives what came in, once, with the interface; nothing of another type', async () => {
  expect(await received()).toEqual([]);
  await send(0x88b6);
  const bytes = await send();
  const { index } = await linkNamed('far-end');
  const frames = await until('a frame', received, 2000, ({ length }) => length > 0);
  expect(frames).toEqual([{ index, bytes }]);
  expect(await received()).toEqual([]);
});

it('leaves the interface as it is, not promiscuous', async () => {
  const { stdout } = await ip('-d', 'link', 'show', 'far-end');
  expect(stdout).toContain('promiscuity 0');
});

it('hears again on an interface that was down', async () => {
  await ip('link', 'set', 'far-end', 'down');
  await ip('link', 'set', 'far-end', 'up');
  await until(
    'the carrier',
    () => linkNamed('near-end'),
    2000,
    ({ carrier }) => carrier,
  );
  const frames = await until(
    'a frame',
    async () => {
      await send();
      return received();
    },
    2000,
    ({ length }) => length > 0,
  );
  expect(frames.length).toBeGreaterThan(0);
});

it('doesn’t get what the ingress hook drops', async () => {
  const rules = `table netdev watch {
    chain in { type filter hook ingress device "far-end" priority 0; ether type 0x88b5 counter drop; }
  }`;
  await execa('nft', ['-f', '-'], { input: rules });
  await send();
  await until(
    'the drop',
    async () => (await execa('nft', ['list', 'table', 'netdev', 'watch'])).stdout,
    2000,
    (text) => text.includes('packets 1 '),
  );
  expect(await received()).toEqual([]);
  await execa('nft', ['delete', 'table', 'netdev', 'watch']);
  await send();
  await until('a frame', received, 2000, ({ length }) => length === 1);
});

it('can be closed twice, and receives nothing then', () => {
  receiver.close();
  receiver.close();
  expect(() => receiver.receive()).toThrow('the packet socket is closed');
});
