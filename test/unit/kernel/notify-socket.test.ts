import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadLibc, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from '../../../src/kernel/libc.ts';
import { NotifySocket } from '../../../src/kernel/notify-socket.ts';
import { AF_UNIX, encodeUnixAddress } from '../../../src/kernel/unix-address.ts';

/** A service manager that listens, and what it has heard since it was asked last. */
const manager = async (name: string): Promise<() => readonly string[]> => {
  const libc = await loadLibc();
  const socket = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  onTestFinished(() => void libc.close(socket));
  const address = encodeUnixAddress(name) ?? Buffer.alloc(0);
  expect(libc.bind(socket, address, address.length)).toBe(0);
  return () => {
    const heard: string[] = [];
    const buffer = Buffer.alloc(4096);
    const from = Buffer.alloc(128);
    for (;;) {
      const length = libc.recvfrom(socket, buffer, 4096, MSG_DONTWAIT, from, Buffer.from([128, 0, 0, 0]));
      if (length < 0) return heard;
      heard.push(buffer.toString('utf8', 0, length));
    }
  };
};

const path = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-notify-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'notify');
};

test.each([
  ['a path', path],
  ['an abstract name', () => `@conntrack-ha-test-${process.pid}`],
])('%s gets each word as a datagram of its own', async (_, name) => {
  const socket = name();
  const heard = await manager(socket);
  const voice = await NotifySocket.open(socket);
  expect([voice.send('READY=1\nSTATUS=fährt'), voice.send('WATCHDOG=1')]).toEqual([true, true]);
  expect(heard()).toEqual(['READY=1\nSTATUS=fährt', 'WATCHDOG=1']);
  voice.close();
  voice.close();
});

test('a reader that is behind holds nothing up', async () => {
  const socket = path();
  const heard = await manager(socket);
  const voice = await NotifySocket.open(socket);
  // net.unix.max_dgram_qlen
  const taken = Array.from({ length: 5000 }, () => voice.send('WATCHDOG=1'));
  expect(taken).toContain(false);
  expect(heard()).toHaveLength(taken.filter(Boolean).length);
  expect(voice.send('READY=1')).toBe(true);
  voice.close();
});

test('where nobody listens it says so', async () => {
  const voice = await NotifySocket.open(path());
  expect(() => voice.send('READY=1')).toThrow(/refused to tell the service manager: (ENOENT|ECONNREFUSED)/);
  voice.close();
});

test.each(['', '@', 'relative', 'vsock:2:1', `/${'x'.repeat(108)}`])('%j is no such name', async (name) => {
  expect(encodeUnixAddress(name)).toBeUndefined();
  await expect(NotifySocket.open(name)).rejects.toThrow(RangeError);
});
