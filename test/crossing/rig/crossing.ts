import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../../scripts/bundle.ts';
import { parseAddress } from '../../../src/cluster/address.ts';
import { bucketOf } from '../../../src/cluster/hash.ts';
import type { ClusterConfig } from '../../../src/config/types.ts';
import type { Question, Replies } from '../../kernel/dataplane/ask-program.ts';
import type { Answer, Change, Request } from '../../kernel/dataplane/node-program.ts';
import { LOWER, UPPER } from '../../kernel/dataplane/site.ts';
import type { Daemon } from '../../lab/rig/daemon.ts';
import { Machine } from '../../lab/rig/machine.ts';
import { createRunDirectory, type RunDirectory, removeRunDirectory } from '../../lab/rig/run-directory.ts';
import { Switch } from '../../lab/rig/switch.ts';
import { until } from '../../lab/rig/wait.ts';

/** A network of the crossing: the host on it, and the addresses that the firewalls share there. */
export interface Side {
  readonly name: 'lan' | 'dmz' | 'wan';
  /** The firewalls' interface. */
  readonly device: string;
  readonly prefix: { readonly ip: string; readonly ip6: string };
}

export const SIDES: Readonly<Record<Side['name'], Side>> = {
  lan: { name: 'lan', device: 'eth1', prefix: { ip: '192.168.0', ip6: 'fd00:1:' } },
  wan: { name: 'wan', device: 'eth2', prefix: { ip: '192.168.1', ip6: 'fd00:9:' } },
  dmz: { name: 'dmz', device: 'eth4', prefix: { ip: '192.168.2', ip6: 'fd00:2:' } },
};

export type Family = 'ip' | 'ip6';
export type NodeName = 'fw1' | 'fw2';
export type Owned = Readonly<Record<NodeName, readonly number[]>>;

/** 192.168.0.10, fd00:1::10 */
export const addressOf = (side: Side['name'], family: Family, number: number): string =>
  family === 'ip' ? `${SIDES[side].prefix.ip}.${number}` : `${SIDES[side].prefix.ip6}:${number}`;

/** Addresses that a host asks from. */
export const sourcesOf = (side: Side['name'], family: Family): readonly string[] =>
  Array.from({ length: 6 }, (_, index) => addressOf(side, family, 10 + index));

/** The bucket of an address in `crossingConfig`. */
export const bucketOfText = (address: string): number => bucketOf(parseAddress(address), 0xdeadbeef, 64);

/** Where a host answers. */
export const SERVER = 80;
/** The firewalls' shared address. */
export const SHARED = 5;
/** Where every host echoes; on the port above nobody listens. */
export const ECHO = 7000;

/** 02:00:00:00:01:02 */
export const legMac = (node: NodeName, device: string): string =>
  `02:00:00:00:0${node.at(-1)}:0${device.at(-1)}`;

/** Makes the firewalls' three legs, each with its `legMac`, and connects them with the switches. */
export type Plug = (crossing: Pick<Crossing, 'nodes' | 'switches'>) => Promise<void>;

/** Three networks, a host on each, and two firewalls between them. */
export class Crossing {
  private constructor(
    readonly hosts: Readonly<Record<Side['name'], Machine>>,
    readonly nodes: Readonly<Record<NodeName, Machine>>,
    readonly switches: Readonly<Record<Side['name'] | 'sync', Switch>>,
    readonly directory: RunDirectory,
  ) {}

  /** @param plug makes the firewalls' legs and plugs them in; by default each is the end of a cable */
  static async build(plug?: Plug): Promise<Crossing> {
    const directory = await createRunDirectory();
    await bundlePrograms(directory);
    const options = { run: directory.id, logs: directory.logs };
    const machine = (name: string) => Machine.start({ ...options, name });
    const wire = (name: string) => Switch.create({ ...options, name });
    const [lan, dmz, wan, fw1, fw2] = await Promise.all(['lan', 'dmz', 'wan', 'fw1', 'fw2'].map(machine));
    const [swLan, swDmz, swWan, sync] = await Promise.all(['sw-lan', 'sw-dmz', 'sw-wan', 'sync'].map(wire));
    if (!lan || !dmz || !wan || !fw1 || !fw2 || !swLan || !swDmz || !swWan || !sync) {
      throw new Error('the crossing is not whole');
    }
    const switches = { lan: swLan, dmz: swDmz, wan: swWan, sync };
    const crossing = new Crossing({ lan, dmz, wan }, { fw1, fw2 }, switches, directory);
    await crossing.#wire(plug);
    return crossing;
  }

  async remove(): Promise<void> {
    const switches = Object.values(this.switches).map(({ machine }) => machine);
    const machines = [...Object.values(this.hosts), ...Object.values(this.nodes), ...switches];
    await Promise.all(machines.map((machine) => machine.kill()));
    await removeRunDirectory(this.directory);
  }

  /**
   * Neither node knows a flow, nor a host a neighbour.
   *
   * @param owned the buckets of each; by default fw1 owns the lower half of 64 and fw2 the upper
   */
  async load(config: ClusterConfig, owned: Owned = { fw1: LOWER, fw2: UPPER }): Promise<void> {
    await Promise.all([this.own('fw1', config, owned.fw1), this.own('fw2', config, owned.fw2)]);
    await Promise.all(Object.values(this.nodes).map((node) => node.run(['conntrack', '-F'])));
    await Promise.all(
      [...Object.values(this.hosts), ...Object.values(this.nodes)].map((one) => one.ip(['neigh flush all'])),
    );
  }

  /** Has a node touch what its agent would in every round; returns how many flows that were. */
  async refresh(node: NodeName, config: ClusterConfig): Promise<number> {
    const request: Request = { action: 'refresh', config, node };
    const text = await this.#program(this.nodes[node], 'node-program', [], JSON.stringify(request));
    const { refreshed }: Answer = JSON.parse(text);
    return refreshed ?? 0;
  }

  async unload(config: ClusterConfig): Promise<void> {
    const input = (node: NodeName): string => JSON.stringify({ action: 'unload', config, node });
    await Promise.all(
      (['fw1', 'fw2'] as const).map((node) =>
        this.#program(this.nodes[node], 'node-program', [], input(node)),
      ),
    );
  }

  async ask(
    from: Side['name'],
    question: Omit<Question, 'sourcePort' | 'size'> & Partial<Question>,
  ): Promise<Replies> {
    const whole: Question = { sourcePort: 0, size: 1, ...question };
    return JSON.parse(await this.#program(this.hosts[from], 'ask-program', [JSON.stringify(whole)]));
  }

  /** How often each source's three pings were answered; a copy counts. */
  async ping(from: Side['name'], to: string, sources: readonly string[], size = 56): Promise<Replies> {
    const line = (source: string) => [...`ping -c 3 -i 0.05 -W 1 -s ${size} -I`.split(' '), source, to];
    const one = async (source: string): Promise<[string, string[]]> => {
      const output = await this.hosts[from].run(['sh', '-c', '"$@" || :', 'ping', ...line(source)]);
      return [source, output.match(/icmp_seq=\d+ ttl/g) ?? []];
    };
    return Object.fromEntries(await Promise.all(sources.map(one)));
  }

  /** Has a firewall echo on addresses that it has. */
  async listen(node: NodeName, port: number, addresses: readonly string[]): Promise<Daemon> {
    const daemon = await this.nodes[node].spawn(
      'echo',
      this.programLine('echo-program', [String(port), ...addresses]),
    );
    const listening = () => this.nodes[node].run(['ss', '-Hltun', `sport = :${port}`]);
    await until(
      `${node}'s echo`,
      listening,
      10_000,
      (text) => text.split('\n').length === 2 * addresses.length,
    );
    return daemon;
  }

  /** Asks from a firewall. */
  async askFrom(node: NodeName, question: Question): Promise<Replies> {
    return JSON.parse(await this.#program(this.nodes[node], 'ask-program', [JSON.stringify(question)]));
  }

  /** Has a node own these buckets and no others. */
  async own(node: NodeName, config: ClusterConfig, owned: readonly number[]): Promise<void> {
    const request: Request = { action: 'load', config, node, owned };
    const text = await this.#program(this.nodes[node], 'node-program', [], JSON.stringify(request));
    const { error }: Answer = JSON.parse(text);
    if (error !== undefined) throw new Error(`load on ${node}: ${error.message}`);
  }

  /** Has a node that owns some buckets own others too, or no longer, as its agent would. */
  async change(node: NodeName, config: ClusterConfig, change: Change): Promise<void> {
    const request: Request = { action: 'own', config, node, changes: [change] };
    const text = await this.#program(this.nodes[node], 'node-program', [], JSON.stringify(request));
    const { error }: Answer = JSON.parse(text);
    if (error !== undefined) throw new Error(`change on ${node}: ${error.message}`);
  }

  #program(machine: Machine, name: Program, args: readonly string[], input = ''): Promise<string> {
    return machine.run(this.programLine(name, args), { input });
  }

  /** The command line of one of our programs. */
  programLine(name: Program, args: readonly string[]): string[] {
    return [process.execPath, join(this.directory.path, `${name}.js`), ...args];
  }

  async #wire(plug: Plug | undefined): Promise<void> {
    await plug?.(this);
    await Promise.all(Object.values(SIDES).map((side) => this.#wireSide(side, plug === undefined)));
    for (const [id, node] of [
      [1, this.nodes.fw1],
      [2, this.nodes.fw2],
    ] as const) {
      await this.switches.sync.attach(node, 'eth3', `02:00:00:00:0${id}:03`, `fw${id}`, false);
      await node.ip([`address add 10.99.0.${id}/24 dev eth3`, 'link set eth3 addrgenmode none up']);
      await node.run(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
    }
  }

  async #wireSide({ name, device }: Side, cables: boolean): Promise<void> {
    const host = this.hosts[name];
    const wire = this.switches[name];
    await wire.attach(host, 'eth0', `02:00:00:00:1${device.at(-1)}:01`, 'host', false);
    for (const id of [1, 2] as const) {
      const node = this.nodes[`fw${id}`];
      if (cables) await wire.attach(node, device, legMac(`fw${id}`, device), `fw${id}`);
      await node.ip([
        `link set ${device} up`,
        `address add ${addressOf(name, 'ip', 250 + id)}/24 dev ${device}`,
        `address add ${addressOf(name, 'ip6', 250 + id)}/64 dev ${device} nodad`,
      ]);
    }
    const numbers = [SERVER, ...Array.from({ length: 6 }, (_, index) => 10 + index)];
    await host.ip([
      'link set eth0 addrgenmode none up',
      ...numbers.flatMap((number) => [
        `address add ${addressOf(name, 'ip', number)}/24 dev eth0`,
        `address add ${addressOf(name, 'ip6', number)}/64 dev eth0 nodad`,
      ]),
      `route add default via ${addressOf(name, 'ip', SHARED)}`,
      `route add ::/0 via ${addressOf(name, 'ip6', SHARED)}`,
    ]);
    // Errors to one address would else be six and then one a second.
    await host.run(['sysctl', '-qw', 'net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0']);
    const addresses = [addressOf(name, 'ip', SERVER), addressOf(name, 'ip6', SERVER)];
    await host.spawn('echo', this.programLine('echo-program', [String(ECHO), ...addresses]));
    const listening = () => host.run(['ss', '-Hltun', `sport = :${ECHO}`]);
    await until(`${name}'s echo`, listening, 10_000, (text) => text.split('\n').length === 4);
  }
}

/** They start several times faster as bundles than by tsx. */
const PROGRAMS = ['node-program', 'echo-program', 'ask-program', 'sip-program', 'ftp-program'] as const;
export type Program = (typeof PROGRAMS)[number];

const bundlePrograms = async ({ path }: RunDirectory): Promise<void> => {
  await Promise.all(
    PROGRAMS.map((name) => bundle(`test/kernel/dataplane/${name}.ts`, join(path, `${name}.js`))),
  );
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(path, 'node_modules'));
};
