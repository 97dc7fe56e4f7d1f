import { existsSync, readlinkSync } from 'node:fs';
import { execa } from 'execa';
import { afterEach, expect, test } from 'vitest';
import { setUpByHand } from './rig/hand-rules.ts';
import { Lab, type LabOptions } from './rig/lab.ts';
import { planClient } from './rig/plan.ts';
import { startTime } from './rig/processes.ts';
import { until } from './rig/wait.ts';
import { watchOwned } from './shares.ts';
import type { FlowSpec } from './traffic/flow.ts';
import { standardFlows, Traffic } from './traffic/traffic.ts';
import { summarize } from './verdict/summary.ts';

const open: Lab[] = [];

afterEach(async (context) => {
  for (const lab of open.splice(0)) {
    if (context.task.result?.state === 'fail') {
      console.error(await lab.logs());
    }
    await lab.close();
  }
});

const createLab = async (options: LabOptions = {}): Promise<Lab> => {
  const lab = await Lab.create(options);
  open.push(lab);
  return lab;
};

/** Two forwarding firewalls without the product; `owned` by node. */
const createForwarding = async (
  snat: boolean,
  owned: readonly (readonly number[])[],
  options: LabOptions = {},
): Promise<Lab> => {
  const lab = await createLab(options);
  for (const [index, node] of lab.nodes.entries()) {
    await node.boot();
    await setUpByHand(node, { snat, owned: owned[index] ?? [] });
  }
  return lab;
};

const first = (client: number): string => planClient(client).addresses[0] ?? '';

const HALVES = [
  [0, 1],
  [2, 3],
];

const EVERYTHING = [
  [0, 1, 2, 3],
  [0, 1, 2, 3],
];

test('a power cut leaves nothing of a node, and a boot brings it back fresh', async () => {
  const lab = await createForwarding(true, HALVES);
  const node = lab.node('fw1');
  const describe = () => node.run(['ip', '-o', 'link']);
  const before = (await describe()).match(/link\/ether \S+/g);
  await lab.client('c1').machine.run(['ping', '-c1', '-W1', '192.168.1.2']);
  expect(await node.run(['conntrack', '-C'])).not.toBe('0');
  await node.machine.spawn('sleep', ['sleep', '1000']);
  const { pid } = node.machine;

  await node.powerCut();
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  expect([...(await lab.counters()).keys()]).toEqual(['fw2']);
  await expect(node.run(['true'])).rejects.toThrow('fw1 is off');
  await expect(lab.client('c1').machine.run(['ping', '-c1', '-W1', '192.168.0.241'])).rejects.toThrow();

  await node.boot();
  expect((await describe()).match(/link\/ether \S+/g)).toEqual(before);
  expect(before).toHaveLength(3);
  expect(await node.run(['conntrack', '-C'])).toBe('0');
  expect(await node.run(['nft', 'list', 'ruleset'])).toBe('');
  expect(await node.run(['sysctl', '-n', 'net.ipv4.ip_forward'])).toBe('1');
  expect(await node.run(['hostname'])).toBe('fw1');
  expect(await node.run(['ls', '/run'])).not.toContain('conntrack');
  await lab.client('c1').machine.run(['ping', '-c1', '-W2', '192.168.0.241']);
}, 20_000);

test('configuration is a file of the node, and survives the power cut', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const node = lab.node(1);
  await node.boot();
  await node.run(['touch', '/etc/conntrack-ha/mine']);
  await expect(node.run(['touch', '/etc/ssl/not-mine'])).rejects.toThrow('Read-only');
  await node.powerCut();
  await node.boot();
  expect(await node.run(['ls', '/etc/conntrack-ha'])).toBe('cluster.yaml\nkey\nmine');
  expect(await node.run(['stat', '-c', '%a', '/etc/conntrack-ha/key'])).toBe('600');
  expect(existsSync('/etc/conntrack-ha/mine')).toBe(false);
}, 20_000);

test('flows of every kind cross two owners of halves with nothing lost and nothing twice', async () => {
  const lab = await createForwarding(true, HALVES);
  const traffic = await Traffic.start(lab);
  traffic.add(lab.clients.flatMap(({ plan }) => standardFlows(plan)));
  const samePort = (client: string, from = ''): FlowSpec => ({
    id: `${client}.same-port`,
    kind: 'busy',
    from,
    port: 40_000,
  });
  traffic.add(lab.clients.map(({ plan }) => samePort(plan.name, plan.addresses[0])));
  const pingers = planClient(1).addresses.slice(0, 7);
  traffic.add(pingers.map((from, index) => ({ id: `c1.ping${index}`, kind: 'ping', from, icmpId: 1 })));
  await traffic.ready();
  await until(
    'enough answers',
    () => traffic.snapshot().filter(({ kind, answered }) => kind !== 'idle' && answered < 5).length,
    5000,
    (missing) => missing === 0,
  );
  const before = await lab.counters();
  await until(
    'packets through both',
    async () => {
      const now = await lab.counters();
      const sent = (name: string) =>
        (now.get(name)?.outside.from.packets ?? 0) - (before.get(name)?.outside.from.packets ?? 0);
      return sent('fw1') > 50 && sent('fw2') > 50;
    },
    5000,
  );
  const verdicts = await traffic.stop();
  // Whole, for who reads a failure.
  expect(verdicts.filter(({ lost, twice }) => lost || twice.length > 0)).toEqual([]);
  expect(summarize(verdicts)).toMatchObject({ flows: 21, twice: 0, twiceSteady: 0 });
  expect(verdicts.find(({ id }) => id === 'c1.idle')?.answered).toBe(2);
}, 30_000);

test('two owners are seen: packets come twice', async () => {
  const lab = await createForwarding(false, EVERYTHING);
  const traffic = await Traffic.start(lab);
  traffic.add([
    { id: 'c1.udp', kind: 'udp', from: first(1) },
    { id: 'c2.ping', kind: 'ping', from: first(2) },
  ]);
  await traffic.ready();
  const seen = await until(
    'packets that came twice on both flows',
    () => traffic.snapshot(),
    5000,
    (verdicts) => verdicts.every(({ twice }) => twice.length > 0),
  );
  await until('more of them', () => traffic.flow('c1.udp').answered > 50, 5000);
  // Each datagram comes twice at the server, and the answer, sent once, twice at the client.
  const { answered, twice } = traffic.flow('c1.udp');
  expect(twice.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(answered * 1.4);
  const now = Date.now();
  expect(summarize(seen).twiceSteady).toBeGreaterThan(0);
  expect(summarize(seen, [{ from: now - 60_000, to: now }]).twiceSteady).toBe(0);
  await traffic.stop();
}, 20_000);

test('losses are seen: a reset, a dead idle flow, a changed port, silence', async () => {
  const lab = await createForwarding(true, HALVES);
  const traffic = await Traffic.start(lab);
  const flows = standardFlows(planClient(1)).filter(({ kind }) => ['busy', 'idle', 'udp'].includes(kind));
  // A client's port that is one of its bucket's is kept whenever it is translated: that one is none of the first node's.
  traffic.add(flows.map((spec) => (spec.kind === 'udp' ? { ...spec, port: 50_000 } : spec)));
  traffic.add([{ id: 'c2.udp', kind: 'udp', from: first(2) }]);
  await traffic.ready();
  await lab.node(2).powerCut();
  // The states go, and with them the translations; the flows' packets make new ones.
  await lab.node(1).run(['conntrack', '-F']);
  await until('the busy flow to be lost', () => traffic.flow('c1.busy').lost, 5000);
  await until('the port to change', () => traffic.flow('c1.udp').lost, 5000);
  expect(traffic.flow('c1.idle').lost).toBe(false);
  await traffic.useIdle();
  const reasons = Object.fromEntries((await traffic.stop()).map(({ id, reason }) => [id, reason]));
  expect(reasons['c1.busy']).toBe('ECONNRESET');
  expect(reasons['c1.idle']).toBe('ECONNRESET');
  expect(reasons['c1.udp']).toContain('translated port changed');
  expect(reasons['c2.udp']).toBe('no answer for 8 s');
}, 30_000);

test('the switch gives each firewall a copy of its own', async () => {
  const rewrittenFragments = async (unshare: boolean): Promise<number> => {
    // The port that was attached last is flooded first: fw2 owns everything, fw1 looks at what comes after it.
    const lab = await createForwarding(true, [[], [0, 1, 2, 3]], { unshare });
    const look = `table netdev look {
      chain inside {
        type filter hook ingress device eth1 priority -600
        ip saddr 192.168.1.5 counter
      }
    }\n`;
    await lab.node(1).run(['nft', '-f', '-'], { input: look });
    const ping = ['ping', '-c', '10', '-i', '0.02', '-s', '4000', '-W', '1', '192.168.1.2'];
    await lab
      .client('c1')
      .machine.run(ping)
      .catch(() => undefined);
    const text = await lab.node(1).run(['nft', 'list', 'table', 'netdev', 'look']);
    return Number(/counter packets (\d+)/.exec(text)?.[1]);
  };
  expect(await rewrittenFragments(false)).toBeGreaterThan(0);
  expect(await rewrittenFragments(true)).toBe(0);
}, 20_000);

test('a frozen node is silent with its carrier on; a cut link has none', async () => {
  const lab = await createLab();
  const node = lab.node(1);
  await node.boot();
  const { machine } = lab.client('c1');
  const ping = ['ping', '-c1', '-W1', '192.168.0.241'];
  const carrier = async () => (await node.run(['ip', '-o', 'link', 'show', 'eth1'])).includes('LOWER_UP');
  const ticker = await node.machine.spawn('ticker', ['sh', '-c', 'while :; do echo tick; sleep 0.05; done']);
  await until('the ticker', () => ticker.output(), 2000);

  await node.freeze();
  await expect(machine.run(ping)).rejects.toThrow();
  expect(await carrier()).toBe(true);
  const frozen = (await ticker.output()).length;
  await expect(until('a tick', async () => (await ticker.output()).length > frozen, 300)).rejects.toThrow(
    'waited 300 ms for a tick; last seen: false',
  );
  await node.thaw();
  await until('a tick', async () => (await ticker.output()).length > frozen, 2000);
  await machine.run(ping);
  await ticker.kill();
  expect(ticker.running).toBe(false);

  await node.cutLink('inside');
  expect(await carrier()).toBe(false);
  await node.healLink('inside');
  await until('the carrier', carrier, 2000);
}, 20_000);

test('daemons run by their default paths, and end by their pid', async () => {
  const lab = await createLab();
  const [first, second] = lab.nodes;
  for (const [node, peer] of [
    [first, second],
    [second, first],
  ] as const) {
    await node?.boot();
    const own = node?.plan.links.sync.address.split('/')[0];
    const other = peer?.plan.links.sync.address.split('/')[0];
    await node?.startConntrackd(`
      Sync {
        Mode FTFW { DisableExternalCache On }
        UDP {
          IPv4_address ${own}
          IPv4_Destination_Address ${other}
          Port 3780
          Interface eth3
          Checksum on
        }
      }
      General {
        HashSize 32768
        HashLimit 131072
        LockFile /var/lock/conntrack.lock
        UNIX { Path /var/run/conntrackd.sock }
        NetlinkBufferSize 2097152
        NetlinkBufferSizeMaxGrowth 8388608
      }\n`);
  }
  const node = lab.node(1);
  await node.run([
    'conntrack',
    '-I',
    '-p',
    'udp',
    '-s',
    '192.168.0.2',
    '-d',
    '192.168.1.2',
    '-t',
    '60',
    '--sport',
    '1',
    '--dport',
    '2',
  ]);
  await until(
    'the state at the peer',
    async () => (await lab.node(2).run(['conntrack', '-C'])) === '1',
    5000,
  );

  await node.startKeepalived(`
    vrrp_instance one {
      state BACKUP
      interface eth1
      virtual_router_id 50
      priority 100
      advert_int 0.1
      version 3
      virtual_ipaddress { 192.168.0.99/32 dev lo }
    }\n`);
  await until(
    'MASTER',
    async () => (await node.daemon('keepalived').output()).includes('MASTER STATE'),
    5000,
  );
  await node.daemon('keepalived').kill('SIGKILL');
  await node.daemon('conntrackd').kill('SIGKILL');
  expect(node.daemon('conntrackd').running).toBe(false);
  expect(lab.node(2).daemon('conntrackd').running).toBe(true);
  await node.startConntrackd();
  expect(await node.run(['conntrackd', '-s', 'runtime'])).toContain('daemon uptime');
}, 20_000);

test('nothing is left when the process that made a lab is killed', async () => {
  const script = new URL('rig/abandoned-lab.ts', import.meta.url).pathname;
  const child = execa(process.execPath, ['--import', 'tsx', script], { reject: false });
  const said = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data) => resolve(String(data))),
  );
  const { path, pids }: { path: string; pids: number[] } = JSON.parse(said);
  expect(pids.every((pid) => startTime(pid) !== undefined)).toBe(true);
  child.kill('SIGKILL');
  await child;
  await until('the end of its machines', () => pids.every((pid) => startTime(pid) === undefined), 5000);
  const id = path.slice(-6);
  const { stdout } = await execa('ps', ['axww', '-o', 'args']);
  expect(stdout.split('\n').filter((line) => line.includes(id))).toEqual([]);
  expect(existsSync(path)).toBe(true);
  await createLab();
  expect(existsSync(path)).toBe(false);
}, 20_000);

test('closing leaves no process, no namespace, no file', async () => {
  const links = (await execa('ip', ['-o', 'link'])).stdout;
  const lab = await createForwarding(true, HALVES);
  const traffic = await Traffic.start(lab);
  traffic.add(standardFlows(planClient(1)));
  await traffic.ready();
  const machines = [...lab.nodes, ...lab.clients].map(({ machine }) => machine).concat(lab.server);
  const namespaces = machines.map(({ pid }) => readlinkSync(`/proc/${pid}/ns/net`).replace(/\D/g, ''));
  const existing = async () => (await execa('lsns', ['-t', 'net', '-n', '-o', 'NS'])).stdout.split(/\s+/);
  expect(await existing()).toEqual(expect.arrayContaining(namespaces));
  open.pop();
  await lab.close();
  const { stdout } = await execa('ps', ['axww', '-o', 'args']);
  expect(stdout.split('\n').filter((line) => line.includes(lab.run.id))).toEqual([]);
  expect((await existing()).filter((namespace) => namespaces.includes(namespace))).toEqual([]);
  expect((await execa('ip', ['-o', 'link'])).stdout).toBe(links);
  expect(existsSync(lab.run.path)).toBe(false);
}, 20_000);

test('changes of the owned set are told one by one, renewals are not', async () => {
  const lab = await createLab({ nodes: 1, clients: 0 });
  const [node] = lab.nodes;
  if (node === undefined) {
    throw new Error('no node');
  }
  await node.boot();
  const nft = (rules: string): Promise<string> => node.run(['nft', '-f', '-'], { input: rules });
  await nft('table netdev conntrack_ha {\n set owned {\n typeof meta priority\n flags timeout\n }\n}\n');
  const element = 'element netdev conntrack_ha owned';
  const changes = await watchOwned(node);
  await nft(`add ${element} { 1 timeout 30s, 2 timeout 30s }\n`);
  await nft(`delete ${element} { 1 }\nadd ${element} { 1 timeout 30s }\n`);
  await nft(`delete ${element} { 2 }\n`);
  await nft(`add ${element} { 2 timeout 30s }\n`);
  const all = ['+0:1', '+0:2', '-0:2', '+0:2'];
  await until('the last change', changes, 2000, (seen) => seen.length >= all.length);
  expect(await changes()).toEqual(all);
});
