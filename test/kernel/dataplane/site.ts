import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../../scripts/bundle.ts';
import { addressWord } from '../../../src/cluster/address.ts';
import { bucketOf as bucketOfAddress } from '../../../src/cluster/hash.ts';
import type { ClusterConfig } from '../../../src/config/types.ts';
import type { Loaded } from '../../../src/dataplane/load.ts';
import { Machine } from '../../lab/rig/machine.ts';
import { createRunDirectory, type RunDirectory, removeRunDirectory } from '../../lab/rig/run-directory.ts';
import { Switch } from '../../lab/rig/switch.ts';
import { until } from '../../lab/rig/wait.ts';
import type { Question, Replies } from './ask-program.ts';
import { SHARED } from './cluster-config.ts';
import type { Answer, Request } from './node-program.ts';

/** Where the echo program listens on the server. */
export const ECHO_PORT = 7000;
export const SERVER = '192.168.1.2';
/** Addresses of the one client. */
export const CLIENTS: readonly string[] = Array.from({ length: 12 }, (_, index) => `192.168.0.${10 + index}`);
/** The firewalls' own MACs. */
export const MAC = { fw1: '02:00:00:00:01:01', fw2: '02:00:00:00:02:01' } as const;

/** They start several times faster as bundles than by tsx. */
const PROGRAMS = ['node-program', 'echo-program', 'ask-program'] as const;
type Program = (typeof PROGRAMS)[number];

/**
 * Two firewalls between a client and a server, on real switches. fw1 has addresses of its own on both sides, fw2 has
 * none: what it asks its neighbours it asks in the name of a shared address.
 */
export class Site {
  private constructor(
    readonly client: Machine,
    readonly server: Machine,
    readonly fw1: Machine,
    readonly fw2: Machine,
    readonly inside: Switch,
    readonly outside: Switch,
    readonly sync: Switch,
    readonly directory: RunDirectory,
  ) {}

  static async build(): Promise<Site> {
    const directory = await createRunDirectory();
    await bundlePrograms(directory);
    const options = { run: directory.id, logs: directory.logs };
    const [client, server, fw1, fw2] = await Promise.all([
      Machine.start({ ...options, name: 'client' }),
      Machine.start({ ...options, name: 'server' }),
      Machine.start({ ...options, name: 'fw1' }),
      Machine.start({ ...options, name: 'fw2' }),
    ]);
    const [inside, outside, sync] = await Promise.all([
      Switch.create({ ...options, name: 'inside' }),
      Switch.create({ ...options, name: 'outside' }),
      Switch.create({ ...options, name: 'sync' }),
    ]);
    const site = new Site(client, server, fw1, fw2, inside, outside, sync, directory);
    await site.#wire();
    return site;
  }

  async remove(): Promise<void> {
    const { client, server, fw1, fw2, inside, outside, sync } = this;
    const switches = [inside, outside, sync].map(({ machine }) => machine);
    await Promise.all([client, server, fw1, fw2, ...switches].map((machine) => machine.kill()));
    await removeRunDirectory(this.directory);
  }

  /** Runs one of the programs beside this file in a machine. */
  program(
    machine: Machine,
    name: Program,
    args: readonly string[],
    options: { input?: string } = {},
  ): Promise<string> {
    return machine.run(this.#line(name, args), options);
  }

  /** Throws when the answer is an error. */
  async load(
    node: 'fw1' | 'fw2',
    config: ClusterConfig,
    options: { owned?: readonly number[] } = {},
  ): Promise<Loaded> {
    const { loaded, error } = await this.node({ action: 'load', config, node, ...options });
    if (loaded === undefined) throw new Error(`load on ${node}: ${error?.message}`);
    return loaded;
  }

  /** What the node's program answers. */
  async node(request: Request & { readonly node: 'fw1' | 'fw2' }): Promise<Answer> {
    const input = JSON.stringify(request);
    return JSON.parse(await this.program(this[request.node], 'node-program', [], { input }));
  }

  /** Asks the server from client addresses, three datagrams each. */
  async ask(question: Partial<Question> = {}, from: Machine = this.client): Promise<Replies> {
    const whole: Question = {
      protocol: 'udp',
      sources: CLIENTS,
      sourcePort: 40000,
      to: SERVER,
      port: ECHO_PORT,
      size: 1,
      ...question,
    };
    return JSON.parse(await this.program(from, 'ask-program', [JSON.stringify(whole)]));
  }

  /** Which of the addresses are answered when each of them pings once. */
  async pingable(to: string, sources: readonly string[], more: readonly string[] = []): Promise<string[]> {
    const line = (source: string) => ['ping', '-q', '-c', '1', '-W', '1', '-I', source, ...more, to];
    const answered = await Promise.all(
      sources.map((source) =>
        this.client.run(line(source)).then(
          () => true,
          () => false,
        ),
      ),
    );
    return sources.filter((_, index) => answered[index]);
  }

  /** conntrack's entries on a node, a line each. */
  async flows(node: 'fw1' | 'fw2'): Promise<string[]> {
    return (await this[node].run(['conntrack', '-L'])).split('\n').filter((line) => line !== '');
  }

  /** The command line of the echo program. */
  echo(port: number): string[] {
    return this.#line('echo-program', [String(port)]);
  }

  #line(name: Program, args: readonly string[]): string[] {
    return [process.execPath, join(this.directory.path, `${name}.js`), ...args];
  }

  async #wire(): Promise<void> {
    const { client, server, fw1, fw2, inside, outside, sync } = this;
    await inside.attach(client, 'eth0', '02:00:00:00:10:01', 'client', false);
    await outside.attach(server, 'eth0', '02:00:00:00:20:01', 'server', false);
    for (const [machine, name, id] of [
      [fw1, 'fw1', 1],
      [fw2, 'fw2', 2],
    ] as const) {
      await inside.attach(machine, 'eth1', MAC[name], name);
      await outside.attach(machine, 'eth2', `02:00:00:00:0${id}:02`, name);
      await sync.attach(machine, 'eth3', `02:00:00:00:0${id}:03`, name, false);
      await machine.ip([`address add 10.99.0.${id}/24 dev eth3`]);
      // No IPv6 address that would come about by and by.
      const devices = ['eth1', 'eth2', 'eth3'];
      await machine.ip(devices.map((device) => `link set ${device} addrgenmode none up`));
      await machine.run(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    }
    await fw1.ip(['address add 192.168.0.251/24 dev eth1', 'address add 192.168.1.251/24 dev eth2']);
    await client.ip([
      ...CLIENTS.map((address) => `address add ${address}/24 dev eth0`),
      'link set eth0 up',
      `route add default via ${SHARED.inside}`,
    ]);
    await server.ip([
      `address add ${SERVER}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${SHARED.outside}`,
    ]);
    // Errors to the SNAT address would else be six and then one a second.
    await server.run(['sysctl', '-qw', 'net.ipv4.icmp_ratelimit=0']);
    await server.spawn('echo', this.echo(ECHO_PORT));
    const listening = () => server.run(['ss', '-Hltun', `sport = :${ECHO_PORT}`]);
    await until('the echo server', listening, 10_000, (text) => text.split('\n').length === 2);
  }
}

const bundlePrograms = async ({ path }: RunDirectory): Promise<void> => {
  await Promise.all(
    PROGRAMS.map((name) => bundle(`test/kernel/dataplane/${name}.ts`, join(path, `${name}.js`))),
  );
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(path, 'node_modules'));
};

/** Client addresses by the node that filters them when fw1 owns the lower half of 64 buckets and fw2 the upper. */
export const halves = (addresses: readonly string[] = CLIENTS) => {
  const lower = addresses.filter((address) => bucketOf(address) < 32);
  return { fw1: lower, fw2: addresses.filter((address) => !lower.includes(address)) };
};

export const bucketOf = (address: string): number => bucketOfAddress(addressWord(address), 0xdeadbeef, 64);

export const LOWER: readonly number[] = Array.from({ length: 32 }, (_, bucket) => bucket);
export const UPPER: readonly number[] = LOWER.map((bucket) => bucket + 32);
