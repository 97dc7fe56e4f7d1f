import { expect, it, vi } from 'vitest';
import { NativeCallsError } from '../../../src/kernel/libc.ts';
import { PacketSocket } from '../../../src/kernel/packet-socket.ts';

vi.mock('koffi', () => {
  throw new Error('no binary for this machine');
});

it('says what to do where C functions can’t be called', async () => {
  const failure = await PacketSocket.open().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(NativeCallsError);
  expect(String(failure)).toMatch(
    /the package koffi, .* can't be loaded: .*; install the packages again with: npm ci/,
  );
});
