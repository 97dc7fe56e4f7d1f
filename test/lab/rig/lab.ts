import { bucketsOf, type ClusterOptions, clusterYaml } from './cluster-config.ts';
import { Machine } from './machine.ts';
import { FirewallNode } from './node.ts';
import { type ClientPlan, planClient, planNode, SERVER, SHARED, SIDES, type Side } from './plan.ts';
import { createRunDirectory, type RunDirectory, readLogs, removeRunDirectory } from './run-directory.ts';
import { type PortCounters, Switch } from './switch.ts';

export interface LabOptions {
  /** From 1 to 9; 2 by default. */
  readonly nodes?: number;
  /** 1 or 2; 2 by default. */
  readonly clients?: number;
  /** If given, every node gets /etc/conntrack-ha/cluster.yaml and a key. */
  readonly cluster?: ClusterOptions;
  /** Whether the switches un-share what they flood to the firewalls, as real ones do. Only a test of it says false. */
  readonly unshare?: boolean;
}

export interface Client {
  readonly plan: ClientPlan;
  readonly machine: Machine;
}

/** Packets that a firewall sent and was sent, by side. */
export type NodeCounters = Readonly<Record<Side, PortCounters>>;

/** Clients, a server, three switches and firewalls (off at first). Must run as root. `close` removes everything. */
export class Lab {
  readonly run: RunDirectory;
  readonly nodes: readonly FirewallNode[];
  readonly clients: readonly Client[];
  readonly server: Machine;
  /** Of the cluster's configuration. */
  readonly buckets: number;
  readonly #switches: Readonly<Record<Side, Switch>>;

  private constructor(
    run: RunDirectory,
    switches: Readonly<Record<Side, Switch>>,
    nodes: readonly FirewallNode[],
    clients: readonly Client[],
    server: Machine,
    buckets: number,
  ) {
    this.run = run;
    this.#switches = switches;
    this.nodes = nodes;
    this.clients = clients;
    this.server = server;
    this.buckets = buckets;
  }

  static async create(options: LabOptions = {}): Promise<Lab> {
    if (process.getuid?.() !== 0) {
      throw new Error('the lab makes network namespaces: run it as root');
    }
    const run = await createRunDirectory();
    const base = { run: run.id, logs: run.logs };
    const [inside, outside, sync] = await Promise.all([
      Switch.create({ ...base, name: 'sw-in' }),
      Switch.create({ ...base, name: 'sw-out' }),
      Switch.create({ ...base, name: 'sw-sync' }),
    ]);
    const switches = { inside, outside, sync };
    const clients = await Promise.all(
      range(options.clients ?? 2).map(async (number) => {
        const plan = planClient(number);
        const machine = await Machine.start({ ...base, name: plan.name });
        await connect(machine, inside, { port: plan.name, mac: plan.mac, addresses: plan.addresses });
        await machine.ip([`route add default via ${SHARED.inside}`]);
        return { plan, machine };
      }),
    );
    const server = await Machine.start({ ...base, name: 's1' });
    await connect(server, outside, { port: 's1', mac: '02:00:00:00:20:01', addresses: [SERVER] });
    await server.ip([`route add 192.168.0.0/24 via ${SHARED.outside}`]);
    const plans = range(options.nodes ?? 2).map(planNode);
    const nodes = plans.map((plan) => new FirewallNode(plan, run, switches, options.unshare ?? true));
    if (options.cluster !== undefined) {
      const text = clusterYaml(plans, options.cluster);
      for (const node of nodes) {
        await node.writeConfiguration('/etc/conntrack-ha/cluster.yaml', text);
        await node.writeConfiguration('/etc/conntrack-ha/key', `${'0123456789abcdef'.repeat(4)}\n`, 0o600);
      }
    }
    return new Lab(run, switches, nodes, clients, server, bucketsOf(options.cluster ?? {}));
  }

  /** By name (`fw1`) or id. */
  node(which: string | number): FirewallNode {
    return found(this.nodes, ({ plan }) => plan.name === which || plan.id === which, which);
  }

  /** By name (`c1`). */
  client(name: string): Client {
    return found(this.clients, ({ plan }) => plan.name === name, name);
  }

  /** The switches' counters for the nodes that are on, by node name. */
  async counters(): Promise<Map<string, NodeCounters>> {
    const bySide = await Promise.all(SIDES.map((side) => this.#switches[side].counters()));
    const [inside, outside, sync] = bySide;
    const all = new Map<string, NodeCounters>();
    for (const { name } of this.nodes) {
      const ports = { inside: inside?.get(name), outside: outside?.get(name), sync: sync?.get(name) };
      if (ports.inside && ports.outside && ports.sync) {
        all.set(name, { inside: ports.inside, outside: ports.outside, sync: ports.sync });
      }
    }
    return all;
  }

  /** Turns a switch off, and on again so many milliseconds later. */
  async restartSwitch(side: Side, milliseconds: number): Promise<void> {
    await this.#switches[side].restart(milliseconds);
  }

  /** The last lines that every program of the run has printed. */
  logs(lines = 60): Promise<string> {
    return readLogs(this.run, lines);
  }

  /** Ends every process, removes every namespace, and the run's directory unless `keep`. */
  async close(options: { keep?: boolean } = {}): Promise<void> {
    const on = this.nodes.filter((node) => node.on).map(({ machine }) => machine);
    const switches = SIDES.map((side) => this.#switches[side].machine);
    const machines = [...on, ...this.clients.map(({ machine }) => machine), this.server, ...switches];
    await Promise.all(machines.map((machine) => machine.kill()));
    if (!options.keep) {
      await removeRunDirectory(this.run);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const connect = async (
  machine: Machine,
  to: Switch,
  link: { port: string; mac: string; addresses: readonly string[] },
): Promise<void> => {
  await to.attach(machine, 'eth0', link.mac, link.port, false);
  await machine.ip([
    ...link.addresses.map((address) => `addr add ${address}/24 dev eth0`),
    'link set eth0 addrgenmode none',
    'link set eth0 up',
  ]);
};

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const found = <T>(all: readonly T[], test: (item: T) => boolean, what: string | number): T => {
  const item = all.find(test);
  if (item === undefined) {
    throw new RangeError(`the lab has no ${what}`);
  }
  return item;
};
