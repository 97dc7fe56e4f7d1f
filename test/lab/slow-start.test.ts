import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { agentUp, bringUp, writeDaemons } from './cluster.ts';
import { createLab } from './labs.ts';
import type { Daemon } from './rig/daemon.ts';
import { type FirewallNode, productCommand } from './rig/node.ts';
import { until } from './rig/wait.ts';

const HOOK = fileURLToPath(new URL('../../hooks/start-agent', import.meta.url));
const RUN = '/run/conntrack-ha';
/** How long the program takes until it is up. */
const SLOW_S = 12;

const begin = async (): Promise<FirewallNode> => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  return lab.node('fw1');
};

/** What systemd does by conf/conntrack-ha.service, with a program that is slow. Each of its starts is a line in /run/starts. */
const startService = async (node: FirewallNode): Promise<Daemon> => {
  const [program, main] = productCommand;
  const slow = `#!/bin/sh\nsleep ${SLOW_S}\nexec ${program} ${main} "$@"\n`;
  await node.writeConfiguration('/etc/conntrack-ha/slow', slow, 0o755);
  const unit = `while :; do echo once >>/run/starts; ${HOOK} -c /etc/conntrack-ha/cluster.yaml run; sleep 1; done`;
  return node.machine.spawn('service', ['sh', '-c', unit], { CONNTRACK_HA: '/etc/conntrack-ha/slow' });
};

const exists = (node: FirewallNode, file: string): boolean => existsSync(node.machine.path(`${RUN}/${file}`));

test('a slow start beside the check: nobody stands in, and it is started once', async () => {
  const node = await begin();
  await node.boot();
  await writeDaemons(node);
  await node.startConntrackd();
  await node.product(['start']);
  const began = Date.now();
  const service = await startService(node);
  await node.startKeepalived();
  await until('the agent', async () => (await node.product(['status', '--json'])) !== '', 40_000);
  expect(Date.now() - began).toBeGreaterThan(SLOW_S * 1000);
  await until('the group', async () => (await node.ownedBuckets())?.length, 20_000);
  expect(readFileSync(node.machine.path('/run/starts'), 'utf8')).toBe('once\n');
  expect(await service.output()).not.toContain('another agent');
  // Neither was one started, nor did one get to run.
  expect([exists(node, 'once.kicked'), exists(node, 'stand-in')]).toEqual([false, false]);
  // From now on it counts for what its heart says.
  expect(exists(node, 'starting')).toBe(false);
});

test('an agent takes over from a stand-in that is under way', async () => {
  const node = await begin();
  await bringUp(node, 'keepalived');
  await node.daemon('keepalived').kill();
  await node.daemon('agent').kill('SIGKILL');
  const standIn = await node.machine.spawn('stand-in', [...productCommand, 'run', '--once']);
  const channel = ['ss', '-Huln', 'sport', '=', ':3781'];
  await until('the stand-in to hold the channel', async () => (await node.run(channel)) !== '', 10_000);
  // As slow as can be.
  await standIn.kill('SIGSTOP');
  await node.startAgent();
  await agentUp(node);
  expect(await node.daemon('agent').output()).toMatch(/takes over from the stand-in .+ \(process \d+\)/);
  await standIn.kill('SIGCONT');
  await standIn.ended;
});

test('an agent that is only slow is ended by nobody', { timeout: 90_000 }, async () => {
  const node = await begin();
  await bringUp(node, 'keepalived', { broken: 'heart' });
  const agent = node.daemon('agent');
  const standIns = new Set<string>();
  const end = Date.now() + 25_000;
  while (Date.now() < end) {
    expect(agent.running).toBe(true);
    if (exists(node, 'stand-in')) {
      standIns.add(readFileSync(node.machine.path(`${RUN}/stand-in`), 'utf8'));
    }
    await sleep(200);
  }
  expect(standIns.size).toBeGreaterThan(0);
  expect(await agent.output()).not.toMatch(/another agent|agent ends/);
});
