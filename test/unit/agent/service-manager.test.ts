import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ServiceManager } from '../../../src/agent/service-manager.ts';

let said: string[];
let takes: () => boolean;
let status: () => string;
let warned: string[];

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  warned = [];
  takes = () => true;
  status = () => 'owns nothing';
});
afterEach(() => {
  vi.useRealTimers();
});

const manager = (watchdog: number, costly = false): ServiceManager =>
  new ServiceManager({
    voice: {
      costly,
      send: (text) => {
        const taken = takes();
        if (taken) said.push(text);
        return taken;
      },
      close: () => said.push('closed'),
    },
    watchdog,
    status: () => status(),
    log: { warn: (text: string) => void warned.push(text) },
  });

test('it is ready once, beats, tells what is new, and ends', async () => {
  const systemd = manager(60_000);
  await systemd.ready();
  await vi.advanceTimersByTimeAsync(2000);
  status = () => 'owns 32 of 64 buckets';
  await vi.advanceTimersByTimeAsync(4000);
  await systemd.stopping();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toEqual([
    'READY=1\nSTATUS=owns nothing',
    'WATCHDOG=1',
    'WATCHDOG=1\nSTATUS=owns 32 of 64 buckets',
    'WATCHDOG=1',
    'STOPPING=1\nSTATUS=ends: what this node owns it goes on filtering',
    'closed',
  ]);
});

test.each([
  [60_000, false],
  [60_000, true],
  [1000, false],
])('a loop that turns is heard four times within %d ms (a process each: %s)', async (watchdog, costly) => {
  await manager(watchdog, costly).ready();
  await vi.advanceTimersByTimeAsync(watchdog);
  expect(said.filter((text) => text.includes('WATCHDOG=1')).length).toBeGreaterThanOrEqual(4);
  if (costly) expect(said).toHaveLength(5);
});

test('a status that can’t be told is no reason not to beat', async () => {
  const systemd = manager(1000);
  await systemd.ready();
  status = () => {
    throw new Error('no\nsnapshot');
  };
  await vi.advanceTimersByTimeAsync(250);
  expect(said.at(-1)).toBe('WATCHDOG=1\nSTATUS=no snapshot');
});

test('without a watchdog it says only what is new', async () => {
  await manager(0).ready();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toHaveLength(1);
});

test('what wasn’t taken is said again, but for a beat that is over', async () => {
  takes = () => false;
  const systemd = manager(1000);
  await systemd.ready();
  await vi.advanceTimersByTimeAsync(500);
  takes = () => true;
  await vi.advanceTimersByTimeAsync(250);
  expect(said).toEqual(['READY=1\nSTATUS=owns nothing\nWATCHDOG=1']);
});

test('what can’t be said is complained of once', async () => {
  takes = () => {
    throw new Error('ECONNREFUSED');
  };
  const systemd = manager(1000);
  await systemd.ready();
  await vi.advanceTimersByTimeAsync(5000);
  expect(warned).toEqual(["systemd can't be told how the agent is: ECONNREFUSED"]);
});
