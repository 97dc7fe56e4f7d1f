import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Address, addressText } from '../../src/cluster/address.ts';
import type { Tuple } from '../../src/cluster/flow.ts';
import type { ClusterConfig } from '../../src/config/types.ts';
import { commitExternal } from '../../src/conntrackd/commit.ts';
import { dumpExternal } from '../../src/conntrackd/external-dump.ts';
import { drained } from '../../src/conntrackd/progress.ts';
import { logFileOf } from '../../src/conntrackd/render.ts';
import { type Counters, parseStatistics } from '../../src/conntrackd/statistics.ts';
import { type Daemon, eventually, Lab } from './conntrackd-lab.ts';

/**
 * Two real conntrackds and IPv6: client - fw1 - server, fw2 behind the sync link. fw1 translates what goes to port 81, and
 * not what goes to port 80.
 */
let lab: Lab;
let one: Daemon;
let two: Daemon;
let traffic: ReturnType<typeof script>[];

const CLIENT = 'fd00:1::3';
const SERVER = 'fd00:2::2';

const dual = (config: ClusterConfig, snat: readonly string[]): ClusterConfig => ({
  ...config,
  interfaces: config.interfaces.map((settings, index) => ({
    ...settings,
    addresses: [...settings.addresses, { address: `fd00:${index + 1}::5`, prefix: 64 }],
    snat: settings.side === 'outside' ? snat : [],
  })),
});

const daemons = async (replicas: 'kernel' | 'cache', snat: readonly string[]): Promise<void> => {
  const start = (node: string) => lab.conntrackd(node, undefined, replicas, (config) => dual(config, snat));
  one = await start('fw1');
  two = await start('fw2');
};

/** Runs a line of JavaScript in a namespace until it is stopped. */
const script = (name: string, code: string) => {
  const child = lab.start(name, process.execPath, ['-e', code]);
  return {
    child,
    stop: async () => {
      child.kill('SIGKILL');
      await child;
    },
  };
};

beforeAll(async () => {
  lab = await Lab.open();
  for (const name of ['client', 'fw1', 'fw2', 'server']) await lab.addNamespace(name);
  await lab.connect(
    { name: 'client', device: 'eth0', address: '192.168.0.3/24' },
    { name: 'fw1', device: 'eth1', address: '192.168.0.5/24' },
  );
  await lab.connect(
    { name: 'server', device: 'eth0', address: '192.168.1.2/24' },
    { name: 'fw1', device: 'eth2', address: '192.168.1.5/24' },
  );
  await lab.connect(
    { name: 'fw1', device: 'eth3', address: '10.99.0.1/24' },
    { name: 'fw2', device: 'sync0', address: '10.99.0.2/24' },
  );
  const addresses = [
    ['client', 'eth0', `${CLIENT}/64`],
    ['fw1', 'eth1', 'fd00:1::5/64'],
    ['fw1', 'eth2', 'fd00:2::5/64'],
    ['server', 'eth0', `${SERVER}/64`],
  ] as const;
  for (const [name, device, address] of addresses) {
    await lab.run(name, 'ip', ['address', 'add', address, 'dev', device, 'nodad']);
  }
  await lab.run('client', 'ip', ['-6', 'route', 'add', 'default', 'via', 'fd00:1::5']);
  await lab.run('server', 'ip', ['-6', 'route', 'add', 'default', 'via', 'fd00:2::5']);
  await lab.run('fw1', 'sysctl', ['-q', 'net.ipv6.conf.all.forwarding=1']);
  const rules = `table inet t {
    chain untracked { type filter hook prerouting priority raw; udp dport 3780 notrack; }
    chain untracked_out { type filter hook output priority raw; udp dport 3780 notrack; }
    chain forward { type filter hook forward priority filter; ct state new accept; }
    chain out { type nat hook postrouting priority srcnat;
      oifname "eth2" meta nfproto ipv6 tcp dport 81 snat ip6 to [fd00:2::5]:20000-20999
    }
  }`;
  await lab.run('fw1', 'nft', ['-f', '-'], rules);
  traffic = [
    script(
      'server',
      "for(const port of [80,81])net.createServer({allowHalfOpen:true},s=>s.on('data',d=>s.write(d))).listen(port)",
    ),
  ];
}, 30_000);

afterAll(async () => {
  for (const { stop } of traffic) await stop();
  await lab.close();
});

/** TCP entries over IPv6 of a node's kernel, with what differs from node to node cut off. */
const flows = async (name: string, ...filter: readonly string[]): Promise<readonly string[]> =>
  (await lab.run(name, 'conntrack', ['-L', '-f', 'ipv6', ...filter])).stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^(\S+ +\d+) \d+/, '$1').replace(/ use=\d+ *$/, ''))
    .sort();

/** Two connections, to port 80 and to port 81, that say something now and then, and on `SIGUSR2` that they have ended. */
const connections = (from: number): void => {
  traffic.push(
    script(
      'client',
      `for(const [port,local] of [[80,${from}],[81,${from + 1}]]){
        const go=()=>{
          const s=net.connect({port,host:'${SERVER}',localPort:local,localAddress:'${CLIENT}',allowHalfOpen:true});
          s.on('error',()=>setTimeout(go,50));
          s.on('connect',()=>{s.write('x');s.resume();process.on('SIGUSR2',()=>s.end())});
        };
        go();
      }`,
    ),
  );
};

/** The two entries at fw1, once both are established and answered. */
const established = (): Promise<readonly string[]> =>
  eventually('both are established', async () => {
    const found = await flows('fw1', '-p', 'tcp', '--state', 'ESTABLISHED');
    return found.filter((flow) => flow.includes('[ASSURED]')).length === 2 ? found : undefined;
  });

const sameAt = (name: string, wanted: readonly string[]): Promise<true> =>
  eventually(`${name} has ${wanted.join('; ')}`, async () =>
    JSON.stringify(await flows(name, '-p', 'tcp')) === JSON.stringify(wanted) ? true : undefined,
  );

const injected = async (): Promise<Counters> => {
  const { external } = parseStatistics(await two.control.send('statistics'));
  if (external.kind !== 'inject') throw new Error('an external cache');
  return external;
};

const act = async (what: 'touch' | 'remove'): Promise<unknown> => {
  const program = fileURLToPath(new URL('ipv6/flows-program.ts', import.meta.url));
  const tsx = fileURLToPath(new URL('../../node_modules/.bin/tsx', import.meta.url));
  return JSON.parse((await lab.run('fw1', tsx, [program, what])).stdout);
};

/** The events of fw2's kernel, from now on. */
const events = async () => {
  let text = '';
  const child = lab.start('fw2', 'conntrack', ['-E', '-f', 'ipv6', '-p', 'tcp']);
  child.stdout?.on('data', (data) => {
    text += String(data);
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return {
    of: (port: number): readonly string[] =>
      text
        .split('\n')
        .filter((line) => line.includes(` dport=${port} `))
        .map((line) => /\[(\w+)]/.exec(line)?.[1] ?? ''),
    end: async () => {
      child.kill();
      await child;
    },
  };
};

describe('an IPv6 flow, and one whose source is translated', () => {
  let here: readonly string[];

  beforeAll(async () => {
    await daemons('kernel', ['192.168.1.5', 'fd00:2::5']);
    connections(4000);
    here = await established();
  }, 30_000);

  afterAll(async () => {
    await traffic.pop()?.stop();
    for (const daemon of [one, two]) await daemon.kill();
    for (const name of ['fw1', 'fw2']) await lab.run(name, 'conntrack', ['-F', '-f', 'ipv6']);
  });

  it('stand in the kernel of the peer, translation and all, and nothing is warned of', async () => {
    expect(here[0]).toMatch(/src=fd00:1::3 dst=fd00:2::2 sport=4000 dport=80 src=fd00:2::2 dst=fd00:1::3 /);
    expect(here[1]).toMatch(/sport=4001 dport=81 src=fd00:2::2 dst=fd00:2::5 sport=81 dport=20\d\d\d /);
    await sameAt('fw2', here);
    for (const daemon of [one, two]) expect(daemon.printed()).not.toMatch(/\[(warning|ERROR)\]/);
  });

  it('are touched: the peer updates the one, and makes the translated one anew', async () => {
    const seen = await events();
    const before = await injected();
    expect(await act('touch')).toMatchObject({ done: 2, missing: 0, refused: 0 });
    expect(await drained(one.control, { bound: 5000 })).toBe(true);
    await eventually('both updates', async () =>
      (await injected()).updated.done === before.updated.done + 2 ? true : undefined,
    );
    await sameAt('fw2', here);
    expect((await injected()).updated.failed).toBe(before.updated.failed);
    await eventually('the events', async () => (seen.of(81).length >= 2 ? true : undefined));
    await seen.end();
    // nl_update_conntrack in src/netlink.c leaves an IPv6 translation in the request, which the kernel refuses.
    expect(seen.of(80)).toEqual(['UPDATE']);
    expect(seen.of(81)).toEqual(['DESTROY', 'NEW']);
    // Which is no news for the owner.
    expect(await flows('fw1', '-p', 'tcp')).toEqual(here);
  });

  it('are gone from one node and come back by a touch', async () => {
    await lab.run('fw2', 'conntrack', ['-F', '-f', 'ipv6']);
    expect(await flows('fw2')).toEqual([]);
    await act('touch');
    await sameAt('fw2', here);
  });

  it('are updated when their connections are half closed', async () => {
    traffic.at(-1)?.child.kill('SIGUSR2');
    const closing = await eventually('both are half closed', async () => {
      const found = await flows('fw1', '-p', 'tcp', '--state', 'CLOSE_WAIT');
      return found.length === 2 ? found : undefined;
    });
    await sameAt('fw2', closing);
  });

  it('are deleted', async () => {
    const before = await injected();
    expect(await act('remove')).toMatchObject({ done: 2, missing: 0, refused: 0 });
    await sameAt('fw2', []);
    const { destroyed } = await injected();
    expect([destroyed.done - before.destroyed.done, destroyed.failed]).toEqual([2, before.destroyed.failed]);
  });

  it('are not replicated if they are ICMPv6, or of the firewall itself or of a link', async () => {
    await lab.run('client', 'ping', ['-c', '1', '-W', '2', SERVER]);
    const linkLocal = (
      await lab.run('fw1', 'ip', ['-j', '-6', 'address', 'show', 'dev', 'eth1', 'scope', 'link'])
    ).stdout;
    const [, local = ''] = /"local":"(fe80[^"]*)"/.exec(linkLocal) ?? [];
    for (const to of ['fd00:1::5', `${local}%eth0`, SERVER]) {
      const own = script('client', `dgram.createSocket('udp6').send('x',9,'${to}',()=>process.exit())`);
      await own.child;
    }
    expect((await flows('fw1')).length).toBe(4);
    // Whatever were sent would have been sent before this one.
    await eventually('the flow that is replicated', async () =>
      (await flows('fw2')).some((flow) => flow.includes(`dst=${SERVER} `)) ? true : undefined,
    );
    expect((await flows('fw2')).length).toBe(1);
  });
});

describe('ICMPv6', () => {
  it('is replicated with its id where IPv6 is not translated', async () => {
    await daemons('kernel', ['192.168.1.5']);
    await lab.run('client', 'ping', ['-c', '1', '-W', '2', '-e', '77', SERVER]);
    const ping = await eventually('the ping at fw2', async () =>
      (await flows('fw2', '-p', 'icmpv6')).find((flow) => flow.includes('id=77 src=')),
    );
    expect(await flows('fw1', '-p', 'icmpv6')).toContain(ping);
    for (const daemon of [one, two]) {
      expect(daemon.printed()).not.toMatch(/\[(warning|ERROR)\]/);
      await daemon.kill();
    }
    for (const name of ['fw1', 'fw2']) await lab.run(name, 'conntrack', ['-F', '-f', 'ipv6']);
  });
});

describe('the external cache', () => {
  it('tells IPv6 tuples, and a commit puts the flows into the kernel, translation and all', async () => {
    await daemons('cache', ['192.168.1.5', 'fd00:2::5']);
    connections(5000);
    const here = await established();
    const told = await eventually('both are told', async () => {
      const found: Tuple[] = [];
      for await (const tuples of dumpExternal(two.control)) found.push(...tuples);
      return found.length === 2 ? found : undefined;
    });
    const text = (address: Address | undefined) => address !== undefined && addressText(address);
    const ports = told.map(({ sport, dport }) => [sport, dport]).sort();
    expect(ports).toEqual([
      [5000, 80],
      [5001, 81],
    ]);
    expect(told.map(({ src, dst }) => [text(src), text(dst)])).toEqual(Array(2).fill([CLIENT, SERVER]));
    expect(await flows('fw2')).toEqual([]);

    const options = { log: logFileOf(two.socket), port: 3780, bound: 2000 };
    expect(await commitExternal(two.control, options)).toMatchObject({ committed: 2, refused: 0 });

    await sameAt('fw2', here);
    // Over what is there already, too.
    expect(await commitExternal(two.control, options)).toMatchObject({ committed: 2, refused: 0 });
    await sameAt('fw2', here);
  });
});
