import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SharedAddressesAnnouncer } from '../../src/agent/shared-addresses-announcer.ts';
import { SetMissingError } from '../../src/kernel/nftables.ts';
import { until } from '../lab/rig/wait.ts';
import { clusterConfig } from '../support/cluster-config.ts';

const ip = (...args: string[]) => execa('ip', args);

const said: string[] = [];
const log = { debug: () => {}, warn: (text: string) => void said.push(text) };
let owned: () => Promise<ReadonlySet<number>>;
let announcer: SharedAddressesAnnouncer;

/** How often 192.168.0.5 was announced, and when first and last, in milliseconds since `begun`. */
let times: number[];
let begun: number;
let monitor: { readonly kill: () => void };

beforeEach(async () => {
  said.length = 0;
  owned = async () => new Set([7]);
  await ip('link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'far-end');
  for (const name of ['eth1', 'far-end']) await ip('link', 'set', name, 'addrgenmode', 'none', 'up');
  const config = clusterConfig();
  const [node] = config.nodes;
  if (node === undefined) throw new RangeError('no node');
  // There is no eth2: that has nobody complain.
  announcer = new SharedAddressesAnnouncer(config, node, { read: () => owned() }, log);
  const tcpdump = execa('tcpdump', ['-nli', 'far-end', '--immediate-mode', 'arp']);
  monitor = { kill: () => void tcpdump.kill() };
  tcpdump.catch(() => {});
  times = [];
  let heard = '';
  tcpdump.stdout.on('data', (text: Buffer) => {
    const lines = text.toString().split('\n');
    times.push(...lines.filter((line) => line.includes('ARP')).map(() => performance.now() - begun));
  });
  tcpdump.stderr.on('data', (text: Buffer) => {
    heard += text.toString();
  });
  await until('tcpdump', () => heard.includes('listening'), 5000);
  begun = performance.now();
});

afterEach(async () => {
  await announcer.close();
  monitor.kill();
  await ip('link', 'del', 'eth1');
});

it('announces at once, and twice more', { timeout: 15_000 }, async () => {
  announcer.announce('test');
  await sleep(6000);
  expect(times).toHaveLength(3);
  const [first = 0, second = 0, third = 0] = times;
  expect(first).toBeLessThan(500);
  expect(second).toBeGreaterThan(1100);
  expect(third).toBeGreaterThan(3800);
  expect(said).toEqual([]);
});

it('never announces twice within a second, whatever happens', { timeout: 15_000 }, async () => {
  for (let time = 0; time < 25; time += 1) {
    announcer.announce(`test ${time}`);
    await sleep(100);
  }
  await sleep(1500);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(times.length).toBeGreaterThan(2);
  expect(Math.min(...gaps)).toBeGreaterThan(900);
});

it('announces nothing where nothing is owned, or no longer', async () => {
  owned = async () => new Set();
  announcer.announce('test');
  await sleep(300);
  expect(times).toEqual([]);
  owned = () =>
    Promise.reject(
      new SetMissingError({ family: 'netdev', table: 'conntrack_ha', name: 'owned' }, undefined),
    );
  announcer.announce('test');
  await sleep(1500);
  expect(times).toEqual([]);
  expect(said).toEqual([]);
});

it('says once why nothing can be announced', async () => {
  owned = () => Promise.reject(new Error('the kernel is ill'));
  announcer.announce('test');
  await sleep(1500);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/can't be told the shared one.*: the kernel is ill$/);
});

it('finishes what it has begun when it is closed, and says no more', async () => {
  announcer.announce('test');
  await announcer.close();
  await until('the announcement', () => times.length === 1, 1000);
  announcer.announce('test');
  await sleep(1500);
  expect(times).toHaveLength(1);
});
