import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { corosyncConf, FIRST_CIB, startClusterStack, startDaemons, startPacemaker } from './cluster-stack.ts';
import type { Daemon } from './daemon.ts';
import { Machine } from './machine.ts';
import { parseOwnedRules, parseOwnedSet } from './owned-set.ts';
import { OwnedSetReader } from './owned-set-reader.ts';
import { type NodePlan, SHARED_MAC, type Side } from './plan.ts';
import { createTree, type RunDirectory } from './run-directory.ts';
import type { Switch } from './switch.ts';
import { until } from './wait.ts';

const PRODUCT = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

const BROKEN = fileURLToPath(new URL('../../../dist/lab/agent.js', import.meta.url));

export interface NodeOptions {
  /** Whether the switches un-share what they flood to it. */
  readonly unshare: boolean;
  readonly ip6: boolean;
}

export type DaemonName = 'conntrackd' | 'keepalived' | 'agent' | 'corosync' | 'pacemaker';

/**
 * A firewall that can be switched on and off. Off, nothing of it is left but its files in /etc and /var/log; on, it is
 * a fresh kernel's network: the same MACs and own addresses, forwarding on, empty tables, nothing started.
 */
export class FirewallNode {
  readonly plan: NodePlan;
  readonly #run: RunDirectory;
  readonly #switches: ReadonlyMap<Side, Switch>;
  readonly #options: NodeOptions;
  readonly #daemons = new Map<DaemonName, Daemon>();
  #machine: Machine | undefined;
  #ownedSet: OwnedSetReader | undefined;
  /** How the switches deliver again what they withhold. */
  readonly #withheld = new Map<Side, () => Promise<void>>();
  readonly #powerCuts: { readonly from: number; readonly to: number }[] = [];

  /** @param switches that of each side that it is plugged into */
  constructor(plan: NodePlan, run: RunDirectory, switches: ReadonlyMap<Side, Switch>, options: NodeOptions) {
    this.plan = plan;
    this.#run = run;
    this.#switches = switches;
    this.#options = options;
  }

  get name(): string {
    return this.plan.name;
  }

  get on(): boolean {
    return this.#machine !== undefined;
  }

  /** When the power was cut, Date.now(): from the first link that fell silent to the last. */
  get powerCuts(): readonly { readonly from: number; readonly to: number }[] {
    return this.#powerCuts;
  }

  /** Throws if the node is off. */
  get machine(): Machine {
    if (this.#machine === undefined) {
      throw new Error(`${this.name} is off`);
    }
    return this.#machine;
  }

  async boot(): Promise<void> {
    if (this.#machine !== undefined) {
      throw new Error(`${this.name} is on already`);
    }
    const tree = await createTree(this.#run, this.name);
    const machine = await Machine.start({
      run: this.#run.id,
      name: this.name,
      logs: this.#run.logs,
      tree,
    });
    const sysctls = [
      'net.ipv4.ip_forward=1',
      'net.ipv4.conf.all.rp_filter=0',
      'net.ipv4.conf.default.rp_filter=0',
      ...(this.#options.ip6 ? ['net.ipv6.conf.all.forwarding=1'] : []),
    ];
    await machine.run(['sysctl', '-q', '-w', ...sysctls]);
    this.#machine = machine;
    this.#ownedSet = new OwnedSetReader(machine.pid);
    machine.host(this.#ownedSet);
    for (const side of this.#switches.keys()) {
      await this.makeLink(side);
    }
  }

  /** Makes an interface and plugs it in, with the node's own addresses, as a driver that is loaded and ifup do. */
  async makeLink(side: Side, { addresses = true }: { readonly addresses?: boolean } = {}): Promise<void> {
    const { device, mac } = this.plan.links[side];
    const unshare = this.#options.unshare && side !== 'sync';
    await this.#wire(side).attach(this.machine, device, mac, this.name, unshare);
    await this.machine.ip([
      ...(addresses ? this.ownAddresses(side).map((address) => `addr add ${address}`) : []),
      `link set ${device} up`,
    ]);
  }

  /** Removes it, as a driver that is unloaded does. */
  async removeLink(side: Side): Promise<void> {
    await this.run(['ip', 'link', 'delete', this.plan.links[side].device]);
    await this.#wire(side).remove(this.name);
  }

  /** The node's own addresses on a side, as `ip address` takes them: `192.168.0.241/24 dev eth1`. */
  ownAddresses(side: Side): readonly string[] {
    const { device, address, address6 } = this.plan.links[side];
    return [
      `${address} dev ${device}`,
      ...(this.#options.ip6 && address6 !== undefined ? [`${address6} dev ${device} nodad`] : []),
    ];
  }

  /** All links silent at once, then every process and the kernel's tables gone. */
  async powerCut(): Promise<void> {
    const machine = this.machine;
    const from = Date.now();
    await this.#everywhere((wire) => wire.forward([this.name], false));
    this.#powerCuts.push({ from, to: Date.now() });
    await machine.kill();
    this.#machine = undefined;
    this.#ownedSet = undefined;
    this.#daemons.clear();
    // They would go with the namespace of their other ends, but the kernel may take many seconds to get to that.
    await this.#everywhere((wire) => wire.remove(this.name));
    // It goes by the port's name, which the next one has too.
    for (const deliver of this.#withheld.values()) await deliver();
    this.#withheld.clear();
  }

  /** Takes the carrier away from one of its links. */
  async cutLink(side: Side): Promise<void> {
    await this.#wire(side).setPort(this.name, false);
  }

  async healLink(side: Side): Promise<void> {
    await this.#wire(side).setPort(this.name, true);
  }

  /** The switch gives one of its links no frame to the shared MAC, as one that has forgotten who wants them. */
  async withholdShared(side: keyof typeof SHARED_MAC): Promise<void> {
    this.#withheld.set(side, await this.#wire(side).withhold([this.name], `ether daddr ${SHARED_MAC[side]}`));
  }

  async deliverShared(side: keyof typeof SHARED_MAC): Promise<void> {
    await this.#withheld.get(side)?.();
    this.#withheld.delete(side);
  }

  /** The switch forwards nothing from or to one of its links; the carrier stays. */
  async deafen(side: Side): Promise<void> {
    await this.#wire(side).forward([this.name], false);
  }

  async undeafen(side: Side): Promise<void> {
    await this.#wire(side).forward([this.name], true);
  }

  /**
   * As a paused virtual machine: no process runs, no frame goes through, the carrier stays.
   *
   * @param forwarding its kernel works on: only its processes are stopped
   */
  async freeze({ forwarding = false }: { readonly forwarding?: boolean } = {}): Promise<void> {
    if (!forwarding) {
      await this.#everywhere((wire) => wire.forward([this.name], false));
    }
    await this.machine.freeze(true);
  }

  /** @param late milliseconds that its kernel has for itself before its processes go on */
  async thaw({ late = 0 }: { readonly late?: number } = {}): Promise<void> {
    await this.#everywhere((wire) => wire.forward([this.name], true));
    await sleep(late);
    await this.machine.freeze(false);
  }

  /** Runs a program in the node to its end and returns its standard output. */
  async run(argv: readonly string[], options: { input?: string; boundMs?: number } = {}): Promise<string> {
    return this.machine.run(argv, options);
  }

  /** Runs the product: `conntrack-ha -c /etc/conntrack-ha/cluster.yaml ARGUMENTS`. */
  async product(
    args: readonly string[],
    options: { input?: string; boundMs?: number } = {},
  ): Promise<string> {
    return this.run([...productCommand, ...args], options);
  }

  /**
   * The buckets that the kernel has this node filter, by nft's set or by iptables' rules, ascending; undefined if the node is
   * off or its data plane isn't loaded.
   */
  async ownedBuckets(): Promise<number[] | undefined> {
    const set = await this.#ownedSet?.read().catch(() => undefined);
    if (set !== undefined) {
      return parseOwnedSet(set);
    }
    const rules = await this.#machine?.run(['iptables', '-t', 'mangle', '-S']).catch(() => undefined);
    return rules === undefined ? undefined : parseOwnedRules(rules);
  }

  /** Writes a file below /etc, whether the node is on or off. */
  async writeConfiguration(path: string, text: string, mode = 0o644): Promise<void> {
    if (!path.startsWith('/etc/')) {
      throw new RangeError(`expected a path below /etc, got ${path}`);
    }
    const file = join(this.#run.path, this.name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode });
    await chmod(file, mode);
  }

  /** Starts conntrackd and waits for its control socket, /run/conntrackd.sock. Throws if it ends at once. */
  async startConntrackd(configuration?: string): Promise<Daemon> {
    const file = '/etc/conntrackd/conntrackd.conf';
    if (configuration !== undefined) {
      await this.writeConfiguration(file, configuration);
    }
    const socket = this.machine.path('/run/conntrackd.sock');
    if (!this.#daemons.get('conntrackd')?.running) {
      // One that was killed leaves both, and the lock would keep the next one from starting. The first is Debian's.
      await rm(this.machine.path('/run/lock/conntrackd.lock'), { force: true });
      await rm(socket, { force: true });
      await rm(this.machine.path('/run/lock/conntrack.lock'), { force: true });
    }
    const daemon = await this.#start('conntrackd', ['conntrackd', '-C', file]);
    await until(`${this.name}'s conntrackd`, () => existsSync(socket) || !daemon.running, 10_000);
    if (!daemon.running) {
      throw new Error(`conntrackd on ${this.name} ended: ${await daemon.output()}`);
    }
    return daemon;
  }

  /** Starts keepalived in the foreground, logging to its file. */
  async startKeepalived(configuration?: string): Promise<Daemon> {
    const file = '/etc/keepalived/keepalived.conf';
    if (configuration !== undefined) {
      await this.writeConfiguration(file, configuration);
    }
    const pids = ['-p', '/run/keepalived.pid', '-r', '/run/keepalived-vrrp.pid'];
    return this.#start('keepalived', ['keepalived', '-n', '-l', '-D', '-f', file, ...pids]);
  }

  /** Starts corosync and Pacemaker of a cluster of `nodes`; again, if they ran since the boot. */
  async startClusterStack(nodes: readonly NodePlan[]): Promise<void> {
    const again = this.#daemons.has('corosync');
    await this.writeConfiguration('/etc/corosync/corosync.conf', corosyncConf(nodes));
    await this.writeConfiguration('/etc/corosync/first-cib.xml', FIRST_CIB);
    const tree = join(this.#run.path, this.name);
    const { corosync, pacemaker } = await (again
      ? startDaemons(this.machine)
      : startClusterStack(this.machine, tree));
    this.#daemons.set('corosync', corosync);
    this.#daemons.set('pacemaker', pacemaker);
  }

  /** Starts Pacemaker again, where corosync has run on. */
  async startPacemaker(): Promise<void> {
    this.#daemons.set('pacemaker', await startPacemaker(this.machine));
  }

  /** Stops Pacemaker and corosync as an administrator does; resources are stopped. */
  async stopClusterStack(): Promise<void> {
    for (const name of ['pacemaker', 'corosync'] as const) {
      await this.daemon(name).kill('SIGTERM');
    }
  }

  /** Starts the agent: `conntrack-ha run`; or the lab's own with one mechanism taken out. */
  async startAgent(broken?: string): Promise<Daemon> {
    return broken === undefined
      ? this.#start('agent', [...productCommand, 'run'])
      : this.#start('agent', [...brokenCommand, 'run'], { LAB_BREAK: broken });
  }

  /** The daemon started last under that name. Throws if there was none since the boot. */
  daemon(name: DaemonName): Daemon {
    const daemon = this.#daemons.get(name);
    if (daemon === undefined) {
      throw new Error(`${name} was not started on ${this.name}`);
    }
    return daemon;
  }

  async #everywhere(act: (wire: Switch) => Promise<void>): Promise<void> {
    await Promise.all([...this.#switches.values()].map(act));
  }

  #wire(side: Side): Switch {
    const wire = this.#switches.get(side);
    if (wire === undefined) {
      throw new RangeError(`${this.name} has no link ${side}`);
    }
    return wire;
  }

  async #start(
    name: DaemonName,
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Daemon> {
    const daemon = await this.machine.spawn(name, argv, env);
    this.#daemons.set(name, daemon);
    return daemon;
  }
}

const options = ['-c', '/etc/conntrack-ha/cluster.yaml'];
/** The product's command line, as inside a node. */
export const productCommand: readonly string[] = [process.execPath, PRODUCT, ...options];
const brokenCommand = [process.execPath, BROKEN, ...options];
