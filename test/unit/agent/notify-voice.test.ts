import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openVoice, watchdogOf } from '../../../src/agent/notify-voice.ts';

// A machine on which the package can't be loaded.
vi.mock('koffi', () => {
  throw new Error('no such package');
});

let directory: string;
let warned: string[];
const log = { warn: (text: string) => void warned.push(text) };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-voice-'));
  warned = [];
  const program = join(directory, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\nprintf '<%s>' "$@" >>${directory}/said\n`);
  chmodSync(program, 0o755);
  vi.stubEnv('PATH', `${directory}:${process.env['PATH']}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

test('without koffi systemd’s own program says it, which is said once', async () => {
  const voice = await openVoice('/run/systemd/notify', log);
  expect(await voice?.send('READY=1\nSTATUS=owns nothing')).toBe(true);
  expect(readFileSync(join(directory, 'said'), 'utf8')).toBe('<READY=1><STATUS=owns nothing>');
  expect(warned).toHaveLength(1);
  expect(warned[0]).toMatch(/^systemd is told by the program systemd-notify: the package koffi/);
});

test('nobody is told where nobody asks, and what is no socket is said', async () => {
  expect(await openVoice(undefined, log)).toBeUndefined();
  expect(await openVoice('', log)).toBeUndefined();
  expect(warned).toEqual([]);
  expect(await openVoice('vsock:2:1', log)).toBeUndefined();
  expect(warned).toHaveLength(1);
});

test.each([
  [{}, 0],
  [{ WATCHDOG_USEC: '60000000' }, 60_000],
  [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' }, 60_000],
  [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' }, 0],
  [{ WATCHDOG_USEC: 'soon' }, 0],
  [{ WATCHDOG_USEC: '-1' }, 0],
])('%j watches process 7 for %d ms', (env, milliseconds) => {
  expect(watchdogOf(env, 7)).toBe(milliseconds);
});
