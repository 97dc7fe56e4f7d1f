import { expect, test } from 'vitest';
import { attempt } from './attempt.ts';
import { bringUp } from './cluster.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { untilShares } from './shares.ts';

/** Rules, addresses and settings that are the administrator's own. */
const administrator = async (node: FirewallNode): Promise<void> => {
  const rules = `
    table inet filter {
      set friends { type ipv4_addr; elements = { 192.168.0.77, 192.168.0.78 }; }
      chain forward { type filter hook forward priority filter; policy accept; ip saddr @friends meta mark set 7; }
    }
    table netdev mine {
      chain early { type filter hook ingress device eth1 priority -400; policy accept; }
    }
  `;
  await node.run(['nft', '-f', '-'], { input: rules });
  await node.machine.ip([
    'addr add 192.168.0.240/24 dev eth1',
    'addr add 172.16.3.1/30 dev eth2 label eth2:old',
  ]);
  await node.run(['ip', 'maddr', 'add', '01:00:5e:00:09:09', 'dev', 'eth1']);
  await node.run(['sysctl', '-q', '-w', 'net.ipv4.conf.eth2.promote_secondaries=0']);
  const tentative = () => node.run(['ip', 'addr', 'show', 'tentative']);
  await until('the end of address detection', tentative, 5000, (text) => text === '');
};

/** Everything that `start` could leave behind, by the command that shows it. */
const machineOf = async (node: FirewallNode): Promise<Readonly<Record<string, string>>> => {
  const commands = {
    links: 'ip -d link',
    addresses: 'ip -d addr',
    groups: 'ip maddr',
    neighbours: 'ip neigh show proxy; ip route show table all; ip rule',
    rules: 'nft -s list ruleset; iptables-save 2>/dev/null | grep -v "^#"',
    // The number of entries is no setting.
    settings: "sysctl -a -r '^net[.]' 2>/dev/null | grep -v nf_conntrack_count",
    processes: 'ps -e -o args= | grep -c "[c]onntrack-ha"; true',
  };
  const shown = Object.entries(commands).map(async ([name, command]) => [
    name,
    await node.run(['sh', '-c', `${command}; true`]),
  ]);
  return Object.fromEntries(await Promise.all(shown));
};

test('start and stop leave the machine as it was', async () => {
  const lab = await createLab({ clients: 1, cluster: { snat: true, manager: 'none' } });
  const node = lab.node('fw1');
  await node.boot();
  await administrator(node);
  const before = await machineOf(node);
  await node.startConntrackd(await node.product(['render', 'conntrackd']));
  await node.product(['start']);
  expect(await machineOf(node)).not.toEqual(before);
  // Alone, it serves its home.
  const refused = await attempt(node, ['stop']);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(/fw1 owns fw1_fw2.*--force/);
  await node.product(['stop', '--force']);
  expect(await machineOf(node)).toEqual(before);
});

test.each(['none', 'keepalived'] as const)('manager %s: stop after an agent has served', async (manager) => {
  const lab = await createLab({ clients: 1, cluster: { snat: true, manager } });
  const node = lab.node('fw1');
  await node.boot();
  await administrator(node);
  const before = await machineOf(node);
  await bringUp(node, manager);
  await untilShares(lab, { fw1: manager === 'none' ? 'home' : 'all', fw2: 'off' });

  const running = await attempt(node, ['stop', '--force']);
  expect(running.status).toBe(1);
  expect(running.stderr).toMatch(/the agent runs/);
  if (manager === 'keepalived') {
    await node.daemon('keepalived').kill();
  }
  await node.daemon('agent').kill();
  const owning = await attempt(node, ['stop']);
  expect(owning.status).toBe(1);
  expect(owning.stderr).toMatch(/fw1 owns fw1_fw2/);
  await untilShares(lab, { fw1: manager === 'none' ? 'home' : 'all', fw2: 'off' });

  await node.product(['stop', '--force']);
  expect(await machineOf(node)).toEqual(before);
  // There is nothing left to stop.
  await node.product(['stop']);
  expect(await machineOf(node)).toEqual(before);
});
