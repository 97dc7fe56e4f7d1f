import { bucketsOf, type ClusterOptions, clusterYaml } from './cluster-config.ts';
import { type HostPlan, startHost } from './host.ts';
import type { Machine } from './machine.ts';
import { FirewallNode } from './node.ts';
import {
  type ClientPlan,
  type CoreSide,
  DMZ_SERVER,
  DMZ_SERVER6,
  type NetworkOptions,
  OUTSIDER,
  planClient,
  planNode,
  SERVER,
  SERVER6,
  SHARED_MAC,
  SIDES,
  type Side,
} from './plan.ts';
import { createRunDirectory, type RunDirectory, readLogs, removeRunDirectory } from './run-directory.ts';
import { type PortCounters, Switch } from './switch.ts';

export interface LabOptions extends NetworkOptions {
  /** From 1 to 9; 2 by default. */
  readonly nodes?: number;
  /** 1 or 2; 2 by default. */
  readonly clients?: number;
  /** If given, every node gets /etc/conntrack-ha/cluster.yaml and a key. */
  readonly cluster?: ClusterOptions;
  /** Whether the switches un-share what they flood to the firewalls, as real ones do. Only a test of it says false. */
  readonly unshare?: boolean;
  /** Whether the switches give frames to the shared MACs only to members of their groups (delivery igmp). */
  readonly snooping?: boolean;
}

export interface Client {
  readonly plan: ClientPlan;
  readonly machine: Machine;
}

/** Packets that a firewall sent and was sent, by side. */
export type NodeCounters = Readonly<Record<CoreSide, PortCounters>>;

interface Parts {
  readonly run: RunDirectory;
  readonly nodes: readonly FirewallNode[];
  readonly clients: readonly Client[];
  readonly server: Machine;
  readonly dmzServer: Machine | undefined;
  readonly outsiders: readonly Client[];
  readonly buckets: number;
}

/**
 * Clients, a server, three switches and firewalls (off at first); with a DMZ one more switch, its server, and a client
 * outside. Must run as root. `close` removes everything.
 */
export class Lab {
  readonly run: RunDirectory;
  readonly nodes: readonly FirewallNode[];
  readonly clients: readonly Client[];
  readonly server: Machine;
  readonly dmzServer: Machine | undefined;
  /** Clients outside, that there are with a DMZ. */
  readonly outsiders: readonly Client[];
  /** Of the cluster's configuration. */
  readonly buckets: number;
  readonly #switches: ReadonlyMap<Side, Switch>;

  private constructor(parts: Parts, switches: ReadonlyMap<Side, Switch>) {
    this.run = parts.run;
    this.nodes = parts.nodes;
    this.clients = parts.clients;
    this.server = parts.server;
    this.dmzServer = parts.dmzServer;
    this.outsiders = parts.outsiders;
    this.buckets = parts.buckets;
    this.#switches = switches;
  }

  static async create(options: LabOptions = {}): Promise<Lab> {
    if (process.getuid?.() !== 0) {
      throw new Error('the lab makes network namespaces: run it as root');
    }
    const run = await createRunDirectory();
    const base = { run: run.id, logs: run.logs };
    const sides: readonly Side[] = [...SIDES, ...(options.dmz ? (['dmz'] as const) : [])];
    const wire = async (side: Side) => {
      const snooping = options.snooping && side !== 'sync' ? SHARED_MAC[side] : undefined;
      return [side, await Switch.create({ ...base, name: SWITCHES[side], snooping })] as const;
    };
    const switches = new Map(await Promise.all(sides.map(wire)));
    const start = (plan: HostPlan): Promise<Machine> =>
      startHost(base, plan, wireOf(switches, plan.side), options);
    const client =
      (side: HostPlan['side']) =>
      async (plan: ClientPlan): Promise<Client> => ({
        plan,
        machine: await start({ ...plan, side, defaultRoute: true }),
      });
    const clients = await Promise.all(
      range(options.clients ?? 2)
        .map(planClient)
        .map(client('inside')),
    );
    const server = await start({
      name: 's1',
      side: 'outside',
      mac: '02:00:00:00:20:01',
      addresses: [SERVER],
      addresses6: [SERVER6],
      defaultRoute: false,
    });
    const outsiders = options.dmz ? [await client('outside')(OUTSIDER)] : [];
    const dmzServer = options.dmz
      ? await start({
          name: 'd1',
          side: 'dmz',
          mac: '02:00:00:00:40:01',
          addresses: [DMZ_SERVER],
          addresses6: [DMZ_SERVER6],
          defaultRoute: true,
        })
      : undefined;
    const plans = range(options.nodes ?? 2).map(planNode);
    const nodeOptions = { unshare: options.unshare ?? true, ip6: options.ip6 ?? false };
    const nodes = plans.map((plan) => new FirewallNode(plan, run, switches, nodeOptions));
    if (options.cluster !== undefined) {
      const text = clusterYaml(plans, options.cluster, options);
      for (const node of nodes) {
        await node.writeConfiguration('/etc/conntrack-ha/cluster.yaml', text);
        await node.writeConfiguration('/etc/conntrack-ha/key', `${'0123456789abcdef'.repeat(4)}\n`, 0o600);
      }
    }
    const buckets = bucketsOf(options.cluster ?? {});
    return new Lab({ run, nodes, clients, server, dmzServer, outsiders, buckets }, switches);
  }

  /** By name (`fw1`) or id. */
  node(which: string | number): FirewallNode {
    return found(this.nodes, ({ plan }) => plan.name === which || plan.id === which, which);
  }

  /** By name (`c1`). */
  client(name: string): Client {
    return found(this.clients, ({ plan }) => plan.name === name, name);
  }

  /** The switch of a side that the lab has. */
  wire(side: Side): Switch {
    return wireOf(this.#switches, side);
  }

  /** The switches' counters for the nodes that are on, by node name. */
  async counters(): Promise<Map<string, NodeCounters>> {
    const bySide = await Promise.all(SIDES.map((side) => wireOf(this.#switches, side).counters()));
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
    await wireOf(this.#switches, side).restart(milliseconds);
  }

  /** The last lines that every program of the run has printed. */
  logs(lines = 60): Promise<string> {
    return readLogs(this.run, lines);
  }

  /** Ends every process, removes every namespace, and the run's directory unless `keep`. */
  async close(options: { keep?: boolean } = {}): Promise<void> {
    const on = this.nodes.filter((node) => node.on).map(({ machine }) => machine);
    const hosts = [...this.clients, ...this.outsiders].map(({ machine }) => machine);
    const servers = [this.server, ...(this.dmzServer === undefined ? [] : [this.dmzServer])];
    const switches = [...this.#switches.values()].map(({ machine }) => machine);
    const machines = [...on, ...hosts, ...servers, ...switches];
    await Promise.all(machines.map((machine) => machine.kill()));
    if (!options.keep) {
      await removeRunDirectory(this.run);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const SWITCHES: Readonly<Record<Side, string>> = {
  inside: 'sw-in',
  outside: 'sw-out',
  dmz: 'sw-dmz',
  sync: 'sw-sync',
};

const wireOf = (switches: ReadonlyMap<Side, Switch>, side: Side): Switch => {
  const wire = switches.get(side);
  if (wire === undefined) {
    throw new RangeError(`the lab has no ${SWITCHES[side]}`);
  }
  return wire;
};

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const found = <T>(all: readonly T[], test: (item: T) => boolean, what: string | number): T => {
  const item = all.find(test);
  if (item === undefined) {
    throw new RangeError(`the lab has no ${what}`);
  }
  return item;
};
