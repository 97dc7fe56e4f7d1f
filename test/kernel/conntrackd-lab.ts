import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { ClusterConfig, NodeConfig } from '../../src/config/types.ts';
import { Control } from '../../src/conntrackd/control.ts';
import { renderConntrackd } from '../../src/conntrackd/render.ts';

/** The cluster of the tests: client - fw1 - server with SNAT, fw2 behind the sync link. */
export const clusterOf = (
  socket: string,
  snat: readonly string[] = ['192.168.1.5'],
  replicas: 'kernel' | 'cache' = 'kernel',
): ClusterConfig => ({
  cluster: 'test',
  seed: 0xdeadbeef,
  buckets: 64,
  nodes: [
    { id: 1, name: 'fw1', sync: '10.99.0.1', devices: {} },
    { id: 2, name: 'fw2', sync: '10.99.0.2', devices: { eth3: 'sync0' } },
  ],
  sync: {
    interface: 'eth3',
    mode: 'ftfw',
    multicast: '225.0.0.50',
    replicas,
    port: 3780,
    key: '/dev/null',
  },
  interfaces: [
    {
      name: 'eth1',
      side: 'inside',
      mac: '01:00:5e:00:01:01',
      addresses: [{ address: '192.168.0.5', prefix: 24 }],
      delivery: 'multicast',
      snat: [],
      networks: [],
      probe: undefined,
    },
    {
      name: 'eth2',
      side: 'outside',
      mac: '01:00:5e:00:01:02',
      addresses: [{ address: '192.168.1.5', prefix: 24 }],
      delivery: 'multicast',
      snat,
      networks: [],
      probe: undefined,
    },
  ],
  publish: [],
  helpers: [],
  prefilter: false,
  firewall: 'nftables',
  manager: 'none',
  keepalived: { interface: 'eth1', advert: 0.1, vrid: 50 },
  pacemaker: { linger: 1000 },
  log: { level: 'info', format: 'auto' },
  timeouts: { conntrackd: 2000, peer: 1000, sync: 30_000, disagree: 2000, holddown: 0, lease: 30_000 },
  paths: {
    run: '/run/conntrack-ha',
    conntrackd: socket,
    conntrackdConf: '/etc/conntrackd/conntrackd.conf',
    keepalivedConf: '/etc/keepalived/keepalived.conf',
  },
});

/** Polls until `look` gives something, and fails with what it was waiting for after `bound` milliseconds. */
export const eventually = async <T>(
  what: string,
  look: () => Promise<T | undefined>,
  bound = 8000,
): Promise<T> => {
  const end = performance.now() + bound;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not within ${bound} ms: ${what}`);
    await sleep(20);
  }
};

/** A running conntrackd of one node. */
export interface Daemon {
  readonly socket: string;
  readonly control: Control;
  readonly pid: number;
  /** All that it has printed, warnings among it. */
  readonly printed: () => string;
  /** Kills it and waits for its end. Its socket and lock stay, as after a crash. */
  readonly kill: () => Promise<void>;
}

/** Network namespaces of this run, torn down by `close` whatever happened. */
export class Lab {
  readonly directory: string;
  readonly #prefix = `cha${process.pid}`;
  readonly #namespaces = new Set<string>();
  readonly #daemons = new Set<Daemon>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<Lab> {
    return new Lab(await mkdtemp(join(tmpdir(), 'conntrackd-')));
  }

  async addNamespace(name: string): Promise<void> {
    await execa('ip', ['netns', 'add', this.#full(name)]);
    this.#namespaces.add(name);
    await this.run(name, 'ip', ['link', 'set', 'lo', 'up']);
  }

  /** A veth between two namespaces, both ends up and with an address. */
  async connect(one: End, other: End): Promise<void> {
    const ends = [
      `${one.device}`,
      'type',
      'veth',
      'peer',
      'name',
      other.device,
      'netns',
      this.#full(other.name),
    ];
    await this.run(one.name, 'ip', ['link', 'add', ...ends]);
    for (const { name, device, address } of [one, other]) {
      await this.run(name, 'ip', ['address', 'add', address, 'dev', device]);
      await this.run(name, 'ip', ['link', 'set', device, 'up']);
    }
  }

  run(name: string, program: string, args: readonly string[], input = ''): Promise<{ stdout: string }> {
    return execa('ip', ['netns', 'exec', this.#full(name), program, ...args], { input });
  }

  /** Starts a program and leaves it to the caller to end it. */
  start(name: string, program: string, args: readonly string[]) {
    return execa('ip', ['netns', 'exec', this.#full(name), program, ...args], { reject: false });
  }

  async conntrackd(
    node: string,
    edit = (text: string): string => text,
    replicas: 'kernel' | 'cache' = 'kernel',
    alter = (config: ClusterConfig): ClusterConfig => config,
  ): Promise<Daemon> {
    const socket = join(this.directory, `${node}.sock`);
    const config = alter(clusterOf(socket, undefined, replicas));
    const file = join(this.directory, `${node}.conf`);
    await writeFile(file, edit(renderConntrackd(config, nodeOf(config, node))));
    // What a crash has left; the daemon refuses to start over it.
    await rm(join(this.directory, `${node}.lock`), { force: true });
    let printed = '';
    const child = this.start(node, 'conntrackd', ['-C', file]);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        printed += String(chunk);
      });
    }
    const { pid } = child;
    if (pid === undefined) throw new Error('conntrackd did not start');
    const daemon: Daemon = {
      socket,
      control: new Control(socket, { timeout: 2000 }),
      pid,
      printed: () => printed,
      kill: async () => {
        child.kill('SIGKILL');
        await child;
        this.#daemons.delete(daemon);
      },
    };
    this.#daemons.add(daemon);
    await eventually(`conntrackd of ${node} runs: ${printed}`, async () => {
      if (child.exitCode !== null) throw new Error(`conntrackd ended: ${printed}`);
      return /starting in console mode/.test(printed) ? true : undefined;
    });
    return daemon;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#daemons].map((daemon) => daemon.kill()));
    for (const name of this.#namespaces) {
      await execa('ip', ['netns', 'delete', this.#full(name)], { reject: false });
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  #full(name: string): string {
    return `${this.#prefix}-${name}`;
  }
}

/** One end of a link. */
export interface End {
  /** Namespace. */
  readonly name: string;
  readonly device: string;
  /** With prefix. */
  readonly address: string;
}

export const nodeOf = (config: ClusterConfig, name: string): NodeConfig => {
  const node = config.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
};

/** Scheduling policy and priority of a process, fields 41 and 40 of proc_pid_stat(5). */
export const schedulingOf = async (pid: number): Promise<{ policy: number; priority: number }> => {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return { priority: Number(fields[37]), policy: Number(fields[38]) };
};
