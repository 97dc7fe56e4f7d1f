import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { ownCopies, type RuleProduct, runAll } from './product.ts';

/** Debian's 1.3, started as its unit does, with a system bus of its own. */
export const firewalld: RuleProduct = {
  name: 'firewalld',
  prepare: async (node) => {
    await ownCopies(node, ['/etc/firewalld']);
    await runAll(node, ['mkdir -p /run/dbus', ...OFFLINE.map((line) => `firewall-offline-cmd ${line}`)]);
    await node.machine.spawn('dbus', ['dbus-daemon', '--system', '--nofork', '--nopidfile']);
    await until(
      'the system bus',
      () => node.run(['test', '-S', '/run/dbus/system_bus_socket']).then(() => true),
      5000,
    );
  },
  start: (node) => begin(node),
  reload: async (node) => {
    await node.run(['firewall-cmd', '--reload']);
  },
  restart: async (node) => {
    await node.run(['pkill', '-TERM', '-f', 'firewalld --nofork']);
    await until('the end of firewalld', async () => (await state(node)) !== 'running', 10_000);
    await begin(node);
  },
};

/** As in docs/coexistence.md. The zone `external` masquerades, as it comes. */
const OFFLINE: readonly string[] = [
  '--zone=internal --add-interface=eth1',
  '--zone=external --add-interface=eth2',
  '--zone=trusted --add-interface=eth3',
  '--zone=internal --add-protocol=vrrp',
  '--new-policy=outwards',
  '--policy=outwards --add-ingress-zone=internal',
  '--policy=outwards --add-egress-zone=external',
  '--policy=outwards --set-target=ACCEPT',
];

const begin = async (node: FirewallNode): Promise<void> => {
  await node.machine.spawn('firewalld', ['firewalld', '--nofork', '--nopid']);
  await until('firewalld', async () => (await state(node)) === 'running', 15_000);
};

const state = (node: FirewallNode): Promise<string> =>
  node.run(['firewall-cmd', '--state']).then(
    (text) => text.trim(),
    () => 'not running',
  );
