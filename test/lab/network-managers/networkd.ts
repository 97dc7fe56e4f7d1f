import type { Daemon } from '../rig/daemon.ts';
import type { FirewallNode } from '../rig/node.ts';
import { SIDES } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';

/** What systemd does for it before its start: directories that are its own user's. */
const DIRECTORIES = ['leases', 'links', 'lldp'].map((name) => `/run/systemd/netif/${name}`);

/** systemd-networkd of a node, that has nobody else for its addresses, with a bus for networkctl. */
export class Networkd {
  readonly #node: FirewallNode;
  #daemon: Daemon;

  private constructor(node: FirewallNode, daemon: Daemon) {
    this.#node = node;
    this.#daemon = daemon;
  }

  /** Takes the own addresses of a node that was booted, and starts networkd, which gives them by its files. */
  static async start(node: FirewallNode): Promise<Networkd> {
    await node.run(['mkdir', '-p', '/run/dbus', '/run/systemd/network', ...DIRECTORIES]);
    await node.run(['chown', '-R', 'systemd-network:', '/run/systemd/netif']);
    // By one that can't be written it knows that there is no udev to wait for.
    await node.run(['mount', '-t', 'sysfs', '-o', 'ro', 'sysfs', '/sys']);
    for (const side of SIDES) {
      await node.run(['ip', 'address', 'flush', 'dev', node.plan.links[side].device, 'scope', 'global']);
    }
    await node.machine.spawn('dbus', ['dbus-daemon', '--system', '--nofork', '--nopidfile']);
    await until(
      'the bus',
      () => node.run(['test', '-S', '/run/dbus/system_bus_socket']).then(() => true),
      5000,
    );
    const networkd = new Networkd(node, await startDaemon(node));
    await networkd.untilConfigured();
    return networkd;
  }

  async restart(): Promise<void> {
    await this.#daemon.kill();
    this.#daemon = await startDaemon(this.#node);
    await until('networkctl', () => this.#node.run(['networkctl', 'list']).then(() => true), 5000);
  }

  /** What `netplan apply` does in the end as well. */
  async reconfigure(sides: readonly (typeof SIDES)[number][] = SIDES): Promise<void> {
    await this.#node.run(['networkctl', 'reload']);
    await this.#node.run([
      'networkctl',
      'reconfigure',
      ...sides.map((side) => this.#node.plan.links[side].device),
    ]);
  }

  /** Waits until every interface has the addresses that are its own. */
  async untilConfigured(): Promise<void> {
    await until(`the own addresses of ${this.#node.name}`, () => hasOwnAddresses(this.#node), 5000);
  }
}

/** Its defaults, and the node's own addresses. */
export const writeNetworkFiles = async (node: FirewallNode): Promise<void> => {
  await node.run(['mkdir', '-p', '/run/systemd/network']);
  for (const side of SIDES) {
    const { device, address, address6 } = node.plan.links[side];
    const addresses = [address, ...(address6 === undefined ? [] : [address6])].map(
      (text) => `Address=${text}\n`,
    );
    await node.run(['tee', `/run/systemd/network/10-${device}.network`], {
      input: `[Match]\nName=${device}\n[Network]\n${addresses.join('')}`,
    });
  }
};

/** Whether no own address is missing, nor is one still looked for at others'. */
export const hasOwnAddresses = async (node: FirewallNode): Promise<boolean> => {
  for (const side of SIDES) {
    const { device, address, address6 } = node.plan.links[side];
    const text = await node.run(['ip', 'address', 'show', 'dev', device]);
    const all = [address, ...(address6 === undefined ? [] : [address6])];
    if (!all.every((one) => text.includes(` ${one} `)) || text.includes('tentative')) return false;
  }
  return true;
};

const startDaemon = (node: FirewallNode): Promise<Daemon> =>
  node.machine.spawn('networkd', ['/lib/systemd/systemd-networkd'], { SYSTEMD_LOG_LEVEL: 'info' });
