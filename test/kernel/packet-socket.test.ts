import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { neighbourAdvertisement } from '../../src/dataplane/announce/neighbour-advertisement.ts';
import { KernelError } from '../../src/kernel/error.ts';
import { listLinks } from '../../src/kernel/links.ts';
import { PacketSocket } from '../../src/kernel/packet-socket.ts';
import { until } from '../lab/rig/wait.ts';

const FRAME = neighbourAdvertisement({
  address: 'fd00:1::5',
  mac: '01:00:5e:00:01:01',
  source: '02:00:00:00:00:0a',
});

const ip = (...args: string[]) => execa('ip', args);

const near = async () => {
  const link = (await listLinks()).find(({ name }) => name === 'near-end');
  if (link === undefined) throw new RangeError('there is no near-end');
  return link;
};

let socket: PacketSocket;
beforeEach(async () => {
  await ip('link', 'add', 'near-end', 'type', 'veth', 'peer', 'name', 'far-end');
  for (const name of ['near-end', 'far-end']) await ip('link', 'set', name, 'addrgenmode', 'none', 'up');
  socket = await PacketSocket.open();
});

afterEach(async () => {
  socket.close();
  await ip('link', 'del', 'near-end').catch(() => undefined);
});

it('sends a frame as it is, and its checksum is right', async () => {
  const tcpdump = execa('tcpdump', ['-nevvXXi', 'far-end', '-c1', '-U', '-l', 'icmp6']);
  let said = '';
  tcpdump.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  await until('tcpdump', () => said.includes('listening'), 5000);
  socket.send(FRAME, await near());
  const { stdout } = await tcpdump;
  expect(stdout).toContain('[icmp6 sum ok]');
  expect(stdout).toMatch(/neighbor advertisement.*tgt is fd00:1::5, Flags \[router, override\]/);
  const dumped = [...stdout.matchAll(/^\t0x[0-9a-f]+: {2}([0-9a-f ]{39}|[0-9a-f ]+?) {2}/gm)];
  const bytes = dumped.map(([, part = '']) => part.replaceAll(' ', '')).join('');
  expect(bytes).toBe(Buffer.from(FRAME).toString('hex'));
});

it("passes nftables' egress hook as what it is", async () => {
  const rules = `table netdev watch {
    chain out {
      type filter hook egress device "near-end" priority 0
      ip6 saddr fd00:1::5 icmpv6 type nd-neighbor-advert counter
    }
  }`;
  await execa('nft', ['-f', '-'], { input: rules });
  socket.send(FRAME, await near());
  const { stdout } = await execa('nft', ['list', 'table', 'netdev', 'watch']);
  expect(stdout).toContain('counter packets 1 ');
  await execa('nft', ['delete', 'table', 'netdev', 'watch']);
});

it('says why a frame was not sent', async () => {
  const link = await near();
  await ip('link', 'set', 'near-end', 'down');
  expect(() => socket.send(FRAME, link)).toThrow('the kernel refused to send a frame on near-end: ENETDOWN');
  await ip('link', 'del', 'near-end');
  expect(() => socket.send(FRAME, link)).toThrow(KernelError);
  expect(() => socket.send(FRAME, link)).toThrow('ENXIO');
  socket.close();
  socket.close();
  expect(() => socket.send(FRAME, link)).toThrow('the packet socket is closed');
});
