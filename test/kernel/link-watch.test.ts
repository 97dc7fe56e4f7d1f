import { execFileSync } from 'node:child_process';
import { mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundle } from '../../scripts/bundle.ts';
import type { ClusterConfig } from '../../src/config/types.ts';
import { LinkWatch } from '../../src/dataplane/link-watch.ts';
import { pingArguments } from '../../src/dataplane/probe.ts';
import { Machine } from '../lab/rig/machine.ts';
import { createRunDirectory, type RunDirectory, removeRunDirectory } from '../lab/rig/run-directory.ts';
import { until } from '../lab/rig/wait.ts';
import { clusterConfig, nodeNamed, SHARED } from './dataplane/cluster-config.ts';
import { CLIENTS, SERVER, Site } from './dataplane/site.ts';
import type { WatchRequest } from './dataplane/watch-program.ts';

// This process is fw1: eth1 and eth2 lead to a neighbour, which has the address .1 on both.

const NEIGHBOUR = { eth1: '192.168.0.1', eth2: '192.168.1.1' } as const;
const OWN = { eth1: '192.168.0.251', eth2: '192.168.1.251' } as const;
type Device = keyof typeof OWN;
const DEVICES: readonly Device[] = ['eth1', 'eth2'];

let directory: RunDirectory;
let neighbour: Machine;

beforeAll(async () => {
  directory = await createRunDirectory();
  neighbour = await Machine.start({ run: directory.id, name: 'neighbour', logs: directory.logs });
});

afterAll(async () => {
  await neighbour?.kill();
  await removeRunDirectory(directory);
});

const ip = (...lines: readonly string[]) => execa('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });

const plug = async (device: Device): Promise<void> => {
  await ip(
    `link add ${device} type veth peer name ${device} netns ${neighbour.pid}`,
    `address add ${OWN[device]}/24 dev ${device}`,
    `link set ${device} up`,
  );
  await neighbour.ip([`address add ${NEIGHBOUR[device]}/24 dev ${device}`, `link set ${device} up`]);
};

/** As behind a switch that forwards nothing more, and keeps the carrier. */
const silence = (device: Device) => neighbour.ip([`address delete ${NEIGHBOUR[device]}/24 dev ${device}`]);

beforeEach(async () => {
  await Promise.all(DEVICES.map(plug));
});

const watches: LinkWatch[] = [];

afterEach(async () => {
  for (const watch of watches.splice(0)) {
    watch.close();
  }
  await Promise.all(DEVICES.map((device) => ip(`link delete ${device}`).catch(() => undefined)));
});

interface Watching {
  readonly watch: LinkWatch;
  /** What was lost at each change. */
  readonly changes: (readonly string[])[];
  readonly notes: string[];
}

const watching = (config: ClusterConfig): Watching => {
  const changes: (readonly string[])[] = [];
  const notes: string[] = [];
  const changed = () => changes.push(watch.lost);
  const watch = new LinkWatch(config, nodeNamed(config, 'fw1'), changed, {
    note: (text) => notes.push(text),
  });
  watches.push(watch);
  return { watch, changes, notes };
};

const plain = clusterConfig({ snat: true });

const probing = (probes: Readonly<Record<string, string>>): ClusterConfig => ({
  ...plain,
  interfaces: plain.interfaces.map((one) => ({ ...one, probe: probes[one.name] })),
});

const becomes = (watch: LinkWatch, lost: readonly string[], boundMs = 2000) =>
  until(
    `lost to be [${lost.join()}]`,
    () => watch.lost,
    boundMs,
    (now) => now.join() === lost.join(),
  );

/** Pids of the `ping` that a process has started. */
const pings = async (parent: number): Promise<number[]> => {
  const { stdout } = await execa('ps', ['-o', 'pid=,comm=', '--ppid', String(parent)], { reject: false });
  return stdout.split('\n').flatMap((line) => (/ ping$/.test(line) ? [Number.parseInt(line, 10)] : []));
};

describe('an interface is lost', () => {
  it('when it is set down, until it is up', async () => {
    const { watch, changes } = watching(plain);
    await ip('link set eth1 down');
    await becomes(watch, ['eth1']);
    expect(watch.reasons).toEqual(['eth1 is down']);
    await ip('link set eth2 down');
    await becomes(watch, ['eth1', 'eth2']);
    await ip('link set eth1 up');
    await becomes(watch, ['eth2']);
    await ip('link set eth2 up');
    await becomes(watch, []);
    expect(changes).toEqual([['eth1'], ['eth1', 'eth2'], ['eth2'], []]);
    expect(watch.reasons).toEqual([]);
  });

  it('when the other end goes down, until it is up', async () => {
    const { watch } = watching(plain);
    await neighbour.ip(['link set eth2 down']);
    await becomes(watch, ['eth2']);
    expect(watch.reasons).toEqual(['eth2 has no carrier']);
    await neighbour.ip(['link set eth2 up']);
    await becomes(watch, []);
  });

  it('when it is removed, until it is made again', async () => {
    const { watch } = watching(plain);
    await ip('link delete eth1');
    await becomes(watch, ['eth1']);
    expect(watch.reasons).toEqual(['eth1 is missing']);
    await plug('eth1');
    await becomes(watch, []);
  });

  it('by the name of the configuration, looked for by that of the node', async () => {
    const nodes = plain.nodes.map((node) => ({ ...node, devices: { eth1: 'enp3s0' } }));
    const { watch } = watching({ ...plain, nodes });
    await becomes(watch, ['eth1']);
    expect(watch.reasons).toEqual(['eth1 (enp3s0) is missing']);
    await ip('link set eth1 down', 'link set eth1 name enp3s0', 'link set enp3s0 up');
    await becomes(watch, []);
    await ip('link delete enp3s0');
    await becomes(watch, ['eth1']);
  });

  it('not when it is the sync interface', async () => {
    const { watch, changes } = watching(plain); // there is no eth3
    await ip('link set eth2 down');
    await becomes(watch, ['eth2']);
    expect(changes).toEqual([['eth2']]);
  });
});

describe('a probe', () => {
  it('that is not answered for 2 s makes its interface lost, until it is', async () => {
    await silence('eth2');
    const began = performance.now();
    const { watch, changes } = watching(probing(NEIGHBOUR));
    await becomes(watch, ['eth2'], 5000);
    expect(performance.now() - began).toBeGreaterThan(1900);
    expect(watch.reasons).toEqual(['eth2 gets no answer from 192.168.1.1']);
    await silence('eth1');
    await becomes(watch, ['eth1', 'eth2'], 5000);
    await neighbour.ip(['address add 192.168.0.1/24 dev eth1']);
    await becomes(watch, ['eth2'], 5000);
    expect(changes).toEqual([['eth2'], ['eth1', 'eth2'], ['eth2']]);
  });

  it('goes on through the removal of its interface', async () => {
    const { watch } = watching(probing({ eth1: NEIGHBOUR.eth1 }));
    await until('a ping', async () => (await pings(process.pid)).length === 1, 2000);
    await ip('link delete eth1');
    await becomes(watch, ['eth1']);
    await until('the silence', async () => (await pings(process.pid)).length === 0, 5000);
    await plug('eth1');
    await becomes(watch, [], 5000);
  });

  it('is asked from an own address only, which it waits for', async () => {
    await ip('address delete 192.168.0.251/24 dev eth1', 'address add 192.168.0.5/24 dev eth1');
    const { watch } = watching(probing({ eth1: NEIGHBOUR.eth1, eth2: '192.168.1.99' }));
    await becomes(watch, ['eth1', 'eth2'], 5000);
    expect(watch.reasons[0]).toBe('eth1 has no address of its own to ask 192.168.0.1 from');
    await ip('address add 192.168.0.251/24 dev eth1');
    await becomes(watch, ['eth2'], 5000);
  });

  it('goes on when somebody ends or stops its ping', async () => {
    const { watch, changes } = watching(probing({ eth1: NEIGHBOUR.eth1 }));
    const first = await until(
      'a ping',
      () => pings(process.pid),
      2000,
      ({ length }) => length === 1,
    );
    process.kill(first[0] ?? 0, 'SIGTERM');
    const isOther = ([pid]: number[]) => pid !== undefined && pid !== first[0];
    const second = await until('another ping', () => pings(process.pid), 3000, isOther);
    process.kill(second[0] ?? 0, 'SIGSTOP');
    await becomes(watch, ['eth1'], 5000);
    await becomes(watch, [], 3000);
    expect(changes).toEqual([['eth1'], []]);
  });

  it('takes a pause of the node for nobody else silence', async () => {
    const { watch, changes } = watching(probing({ eth1: NEIGHBOUR.eth1 }));
    const [ping] = await until(
      'a ping',
      () => pings(process.pid),
      2000,
      ({ length }) => length === 1,
    );
    execFileSync('sh', ['-c', `kill -STOP ${ping}; sleep 3; kill -CONT ${ping}`]);
    await ip('link set eth2 down');
    await becomes(watch, ['eth2']);
    expect(changes).toEqual([['eth2']]);
  });

  it('ends with the watch', async () => {
    const { watch, changes } = watching(probing(NEIGHBOUR));
    await until('two pings', async () => (await pings(process.pid)).length === 2, 2000);
    watch.close();
    await until('no ping', async () => (await pings(process.pid)).length === 0, 1000);
    // One that is closed before its ping has begun, too; and then nothing is told any more.
    const other = watching(probing(NEIGHBOUR));
    other.watch.close();
    const next = watching(plain);
    await ip('link set eth1 down');
    await becomes(next.watch, ['eth1']);
    expect(await pings(process.pid)).toEqual([]);
    expect([...changes, ...other.changes]).toEqual([]);
  });

  it('ends with a process that is killed, answered or not', async () => {
    await silence('eth2');
    const request: WatchRequest = { config: probing(NEIGHBOUR), node: 'fw1' };
    const program = join(directory.path, 'watch-program.js');
    await bundle('test/kernel/dataplane/watch-program.ts', program);
    await symlink(
      fileURLToPath(new URL('../../node_modules', import.meta.url)),
      join(directory.path, 'node_modules'),
    );
    const killed = execa(process.execPath, [program, JSON.stringify(request)], { reject: false });
    const parent = killed.pid ?? 0;
    const pids = await until(
      'two pings',
      () => pings(parent),
      30_000,
      ({ length }) => length === 2,
    );
    killed.kill('SIGKILL');
    await killed;
    const alive = async () =>
      (await execa('ps', ['-o', 'pid=', ...pids.map(String)], { reject: false })).stdout;
    await until('no ping', alive, 3000, (text) => text === '');
  });

  it('is none without ping, which is said once', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    const { watch, notes } = watching(probing({ eth1: NEIGHBOUR.eth1 }));
    await until('a note', () => notes.length > 0, 2000).finally(() => {
      process.env['PATH'] = path;
    });
    const reference = watching(probing({ eth2: '192.168.1.99' }));
    await becomes(reference.watch, ['eth2'], 5000);
    expect(watch.lost).toEqual([]);
    expect(notes).toEqual([
      'interfaces.eth1.probe: ping is not installed, so nobody is asked; apt install iputils-ping',
    ]);
  });

  it('whose ping fails is not answered, and why is said once', async () => {
    const bin = await mkdtemp(join(directory.path, 'bin-'));
    const script = '#!/bin/sh\necho "ping: socket: Operation not permitted" >&2\nexit 2\n';
    await writeFile(join(bin, 'ping'), script, { mode: 0o755 });
    const path = process.env['PATH'];
    process.env['PATH'] = bin;
    const { watch, notes } = watching(probing({ eth1: NEIGHBOUR.eth1 }));
    await becomes(watch, ['eth1'], 5000).finally(() => {
      process.env['PATH'] = path;
    });
    expect(notes).toEqual(['interfaces.eth1.probe: ping ended: ping: socket: Operation not permitted']);
    await becomes(watch, [], 5000);
  });

  it("is none at the node's own address, which is said once", async () => {
    const { watch, notes } = watching(probing({ eth1: OWN.eth1, eth2: '192.168.1.99' }));
    await becomes(watch, ['eth2'], 5000);
    expect(notes).toEqual([
      "interfaces.eth1.probe: 192.168.0.251 is this node's own address, so nobody is asked; name a neighbour",
    ]);
  });
});

describe('with the data plane loaded, and no bucket owned', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.build();
    await site.load('fw1', plain, { owned: [] });
  });
  afterAll(() => site?.remove());

  it.each([
    { device: 'eth1', own: OWN.eth1, to: CLIENTS[0] ?? '', shared: SHARED.inside },
    { device: 'eth2', own: OWN.eth2, to: SERVER, shared: SHARED.outside },
  ])("a probe through $device is answered to the node's own address only", async (one) => {
    const ask = (source: string) =>
      site.fw1.run(['ping', '-c', '2', '-w', '2', ...pingArguments(one.device, source, one.to)]);
    expect(await ask(one.own)).toContain('2 packets transmitted, 2 received');
    await expect(ask(one.shared)).rejects.toThrow('0 received');
  });
});
