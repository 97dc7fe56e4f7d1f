import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bringUp } from './cluster.ts';
import { LogTail } from './log-tail.ts';
import { type ClusterOptions, clusterYaml } from './rig/cluster-config.ts';
import { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { planNode } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { warningTexts } from './warnings.ts';

/** In which the agent has to say that something is missing, or that it is there again. */
const BOUND_MS = 5000;

const CLUSTER: ClusterOptions = { snat: true, manager: 'none' };
const BEHIND_ROUTER = ['ip', 'route', 'add', '10.0.0.0/8', 'via', '192.168.0.20', 'dev', 'eth1'];

let lab: Lab;
let fw1: FirewallNode;
let log: LogTail;

beforeAll(async () => {
  lab = await Lab.create({ ip6: true, clients: 1, cluster: CLUSTER });
  const networks = 'networks: [192.168.0.0/24, "fd00:1::/64", 10.0.0.0/8]';
  const text = clusterYaml([1, 2].map(planNode), CLUSTER, { ip6: true });
  for (const node of lab.nodes) {
    await node.writeConfiguration(
      '/etc/conntrack-ha/cluster.yaml',
      text.replace('side: inside', `side: inside, ${networks}`),
    );
    await node.boot();
    await node.run(BEHIND_ROUTER);
    await bringUp(node, 'none');
  }
  fw1 = lab.node('fw1');
  log = new LogTail(fw1);
  await untilNothing();
}, 60_000);

afterAll(() => lab?.close());

const untilNothing = (boundMs = 30_000): Promise<unknown> =>
  until(
    'nodes that warn of nothing',
    async () => (await Promise.all(lab.nodes.map(warningTexts))).flat(),
    boundMs,
    (warnings) => warnings.length === 0,
  );

const run = async (node: FirewallNode, commands: readonly string[]): Promise<void> => {
  for (const command of commands) await node.run(command.split(' '));
};

/** What one does, what has to be named by status and the log, what puts it back, and what the log says of that. */
interface Case {
  readonly what: string;
  readonly lose: readonly string[];
  readonly warning: RegExp;
  readonly back: readonly string[];
  readonly again: RegExp;
  /** Settings with the values that `lose` has given them. */
  readonly kept?: Readonly<Record<string, string>>;
}

const setting = (name: string, wrong: number, right: number, consequence: string): Case => ({
  what: `${name}=${wrong}`,
  lose: [`sysctl -qw ${name}=${wrong}`],
  warning: new RegExp(`^${name} is ${wrong}: .*${consequence}.*; set it with "sysctl -w ${name}=${right}"$`),
  back: [`sysctl -qw ${name}=${right}`],
  again: new RegExp(`${name} is ${right} again`),
  kept: { [name]: String(wrong) },
});

const CASES: readonly Case[] = [
  setting('net.ipv4.ip_forward', 0, 1, 'forwards nothing'),
  setting('net.ipv4.conf.eth2.forwarding', 0, 1, 'comes in by eth2'),
  setting('net.ipv6.conf.all.forwarding', 0, 1, 'forwards nothing of IPv6'),
  setting('net.ipv6.conf.eth1.forwarding', 0, 1, 'no router'),
  {
    what: 'a route of networks removed',
    lose: ['ip route del 10.0.0.0/8'],
    warning:
      /^10\.0\.0\.0\/8 is behind eth1, but .+ goes nowhere: there is no route; mend it with "ip route replace 10.0.0.0\/8 via ROUTER dev eth1"$/,
    back: [BEHIND_ROUTER.join(' ')],
    again: /to 10\.0\.0\.0\/8 leaves by eth1 again/,
  },
  {
    what: 'a default route elsewhere in its place',
    lose: ['ip route add default via 192.168.1.2', 'ip route del 10.0.0.0/8'],
    warning: /^10\.0\.0\.0\/8 is behind eth1, but .+ goes out of eth2, the wrong way; /,
    back: ['ip route del default', BEHIND_ROUTER.join(' ')],
    again: /to 10\.0\.0\.0\/8 leaves by eth1 again/,
  },
  {
    what: 'a blackhole in its place',
    lose: ['ip route replace blackhole 10.0.0.0/8'],
    warning: /^10\.0\.0\.0\/8 is behind eth1, but .+ type blackhole; /,
    back: ['ip route del 10.0.0.0/8', BEHIND_ROUTER.join(' ')],
    again: /to 10\.0\.0\.0\/8 leaves by eth1 again/,
  },
  {
    what: 'an IPv6 route removed',
    lose: ['ip -6 route flush fd00:1::/64 dev eth1'],
    warning: /^fd00:1::\/64 is behind eth1, but .+ with "ip route replace fd00:1::\/64 dev eth1"$/,
    back: ['ip -6 route replace fd00:1::/64 dev eth1'],
    again: /to fd00:1::\/64 leaves by eth1 again/,
  },
  {
    what: 'strict rp_filter where a route is missing',
    lose: ['sysctl -qw net.ipv4.conf.eth1.rp_filter=1', 'ip route del 10.0.0.0/8'],
    warning:
      /^net\.ipv4\.conf\.eth1\.rp_filter is 1, strict: what comes in by eth1 from 10\.0\.0\.0\/8 is dropped/,
    back: [BEHIND_ROUTER.join(' ')],
    again: /the reverse path filter drops nothing on eth1 again/,
    kept: { 'net.ipv4.conf.eth1.rp_filter': '1' },
  },
  {
    what: 'an own IPv4 address removed',
    lose: ['ip address del 192.168.1.241/24 dev eth2'],
    warning: /^192\.168\.1\.241\/24 is gone from eth2: .+ from the shared 192\.168\.1\.5, .+; add it with /,
    back: ['ip address add 192.168.1.241/24 dev eth2'],
    again: /eth2 has an address of its own in 192\.168\.1\.0\/24 again/,
  },
  {
    what: 'an own IPv6 address removed, and another one added',
    lose: ['ip address del fd00:9::241/64 dev eth2'],
    warning: /^fd00:9::241\/64 is gone from eth2 /,
    back: ['ip address add fd00:9::77/64 dev eth2 nodad'],
    again: /eth2 has an address of its own in fd00:9::\/64 again/,
  },
  {
    what: 'the sync address removed',
    lose: ['ip address del 10.99.0.1/24 dev eth3'],
    warning: /^eth3 has no address 10\.99\.0\.1 \(nodes\.fw1\.sync\): no peer can be reached; add it with /,
    back: ['ip address add 10.99.0.1/24 dev eth3'],
    again: /eth3 has the address 10\.99\.0\.1 again/,
  },
  {
    what: 'the sync device down',
    lose: ['ip link set eth3 down'],
    warning: /^eth3 is down: no peer can be reached; bring it up with "ip link set eth3 up"$/,
    back: ['ip link set eth3 up'],
    again: /eth3 is up again/,
  },
  {
    what: 'the sync device renamed',
    lose: ['ip link set eth3 down', 'ip link set eth3 name spare3'],
    warning: /^eth3 is missing \(sync\.interface\): no peer can be reached; /,
    back: ['ip link set spare3 name eth3', 'ip link set eth3 up'],
    again: /eth3 is up again/,
  },
];

describe('a node of a running cluster', () => {
  it.each(CASES)(
    'names it and changes nothing of it: $what',
    async ({ lose, warning, back, again, kept = {} }) => {
      await log.forget();
      await run(fw1, lose);
      await named(warning);
      for (const [name, value] of Object.entries(kept)) {
        expect(await fw1.run(['sysctl', '-n', name])).toBe(value);
      }
      await run(fw1, back);
      await unnamed(warning, again);
      await untilNothing();
    },
  );

  it('names what "sysctl --system" has set', async () => {
    await log.forget();
    await fw1.writeConfiguration('/etc/sysctl.d/90-server.conf', 'net.ipv4.ip_forward = 0\n');
    // What isn't a network's own is the machine's that the lab runs on.
    await fw1.run(['sysctl', '--system', '--pattern', String.raw`^net\.ipv4\.ip_forward`]);
    await named(/^net\.ipv4\.ip_forward is 0: /);
    expect(await fw1.run(['sysctl', '-n', 'net.ipv4.ip_forward'])).toBe('0');
    await run(fw1, ['sysctl -qw net.ipv4.ip_forward=1']);
    await unnamed(/^net\.ipv4\.ip_forward is 0: /, /net\.ipv4\.ip_forward is 1 again/);
  });

  it('names IPv6 that is switched off inside, and nothing that follows from it', async () => {
    await log.forget();
    const name = 'net.ipv6.conf.eth1.disable_ipv6';
    await run(fw1, [`sysctl -qw ${name}=1`]);
    await named(new RegExp(`^${name} is 1: no IPv6 packet comes in or leaves by eth1; `));
    // That the shared address can't be put back is another's to say.
    const following = (await warningTexts(fw1)).filter((text) => !text.includes("can't be put back"));
    expect(following.filter((text) => /fd00:1|IPv6 address/.test(text))).toEqual([]);
    expect(await fw1.run(['sysctl', '-n', name])).toBe('1');
    await run(fw1, [`sysctl -qw ${name}=0`, 'ip address add fd00:1::241/64 dev eth1 nodad']);
    await unnamed(new RegExp(name), new RegExp(`${name} is 0 again`));
    await untilNothing();
  });

  it('names what a link that went down and up has cost', async () => {
    await log.forget();
    await run(fw1, ['ip link set eth1 down', 'ip link set eth1 up']);
    const address =
      /^fd00:1::241\/64 is gone from eth1 \(.+keep_addr_on_down is 0\): .+, and have it kept with /;
    await named(address);
    await named(/^10\.0\.0\.0\/8 is behind eth1, but /);
    expect(await fw1.run(['sysctl', '-n', 'net.ipv6.conf.eth1.keep_addr_on_down'])).toBe('0');
    await run(fw1, ['ip address add fd00:1::241/64 dev eth1 nodad', BEHIND_ROUTER.join(' ')]);
    await unnamed(address, /eth1 has an address of its own in fd00:1::\/64 again/);
    await untilNothing();
  });

  it('says nothing of a peer that has everything', async () => {
    const output = await lab.node('fw2').daemon('agent').output();
    expect(output.split('\n').filter((line) => /warning: fw2: .*(eth\d|net\.ipv)/.test(line))).toEqual([]);
  });
});

/** In status and, once, in the log. */
const named = async (warning: RegExp): Promise<void> => {
  await until(
    `${warning} in status`,
    () => warningTexts(fw1),
    BOUND_MS,
    (warnings) => warnings.some((text) => warning.test(text)),
  );
  const bare = new RegExp(
    warning.source.replace(/^\^/, 'warning: fw1: ').replace(/\$$/, ' \\[[a-z0-9-]+\\]$'),
  );
  expect((await log.warnings()).filter((line) => bare.test(line))).toHaveLength(1);
};

const unnamed = async (warning: RegExp, again: RegExp): Promise<void> => {
  await until(
    `no ${warning} in status`,
    () => warningTexts(fw1),
    BOUND_MS,
    (warnings) => !warnings.some((text) => warning.test(text)),
  );
  await log.hears(again);
};
