import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bringUp, restartAgent } from './cluster.ts';
import { LogTail } from './log-tail.ts';
import { untilNoWarning } from './no-warning.ts';
import type { ClusterOptions } from './rig/cluster-config.ts';
import type { Daemon } from './rig/daemon.ts';
import { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { warningsOf } from './warnings.ts';

/** What other programs on a node do to the cluster's packets: in which the agent has to say so, or that it is over. */
const BOUND_MS = 5000;
/** The same of what counts once clients have gone on asking for ten seconds. */
const EVIDENCE_MS = 10_000 + BOUND_MS;

const CLUSTER: ClusterOptions = { snat: true, manager: 'none' };

let lab: Lab;
let fw1: FirewallNode;
let log: LogTail;

beforeAll(async () => {
  lab = await Lab.create({ clients: 1, cluster: CLUSTER });
  for (const node of lab.nodes) {
    await node.boot();
    await bringUp(node, 'none');
  }
  fw1 = lab.node('fw1');
  log = new LogTail(fw1);
  await untilNoWarning(lab.nodes);
}, 60_000);

afterAll(() => lab?.close());

type Act = () => Promise<unknown>;

interface Case {
  readonly what: string;
  readonly begin: Act;
  readonly code: string;
  readonly object: string;
  readonly text: RegExp;
  readonly end: Act;
  readonly within?: number;
}

const commands =
  (...lines: readonly string[]): Act =>
  async () => {
    for (const line of lines) await fw1.run(line.split(' '));
  };

const DNAT = {
  code: 'unpublished-dnat',
  object: 'tcp 192.168.1.5:443',
  text: /to 192\.168\.0\.20:8443, which isn't published: .* UDP .* is dead; .*: tcp-8443: \{ protocol: tcp, address: 192\.168\.1\.5, port: 443, to: 192\.168\.0\.20, toPort: 8443 \}$/,
} as const;

const byIptables = (program: string): Case => {
  const rule =
    'PREROUTING -i eth2 -p tcp --dport 443 -d 192.168.1.5 -j DNAT --to-destination 192.168.0.20:8443';
  return {
    what: `a DNAT of ${program}`,
    begin: commands(`${program} -t nat -A ${rule}`),
    ...DNAT,
    end: commands(`${program} -t nat -D ${rule}`),
  };
};

const LISTEN =
  'use Socket; socket(S,AF_INET,SOCK_DGRAM,0); bind(S,sockaddr_in($ARGV[1],inet_aton($ARGV[0]))) or die; sleep 60';
const ASK =
  'use Socket; socket(S,AF_INET,SOCK_DGRAM,0); for (1..300) { send(S,"x",0,sockaddr_in($ARGV[1],inet_aton($ARGV[0]))); select(undef,undef,undef,0.1) }';

/** A UDP service of the firewall's own, and clients outside that ask for it at the SNAT address. */
const service = (address: string, isAsked: boolean, port = '1194'): Pick<Case, 'begin' | 'end'> => {
  const daemons: Daemon[] = [];
  return {
    begin: async () => {
      daemons.push(await fw1.machine.spawn('service', ['perl', '-e', LISTEN, address, port]));
      // Its bucket is one of this node's.
      const ask = ['perl', '-e', ASK, '192.168.1.5', port];
      if (isAsked) daemons.push(await lab.server.spawn('clients', ask));
    },
    end: () => Promise.all(daemons.map((daemon) => daemon.kill())),
  };
};

const CASES: readonly Case[] = [
  {
    what: 'a DNAT of nft',
    begin: commands(
      'nft add table ip admin',
      'nft add chain ip admin pre { type nat hook prerouting priority dstnat ; }',
      'nft add rule ip admin pre iifname eth2 ip daddr 192.168.1.5 tcp dport 443 dnat to 192.168.0.20:8443',
    ),
    ...DNAT,
    end: commands('nft delete table ip admin'),
  },
  byIptables('iptables-nft'),
  byIptables('iptables-legacy'),
  {
    what: 'ingress shaping by an ifb',
    begin: commands(
      'ip link add ifb0 type ifb',
      'ip link set ifb0 up',
      'tc qdisc add dev eth1 handle ffff: ingress',
      'tc filter add dev eth1 parent ffff: protocol ip u32 match u32 0 0 action mirred egress redirect dev ifb0',
    ),
    code: 'ingress-redirect',
    object: 'eth1',
    text: /^a filter of tc \(u32, pref \d+\) redirects what comes in by eth1 to ifb0: what comes back from there isn't sorted, .*; remove it with "tc filter del dev eth1 ingress pref \d+", and shape what leaves by the other interface instead/,
    end: commands('tc qdisc del dev eth1 ingress', 'ip link del ifb0'),
  },
  {
    what: 'a service at a UDP port of the SNAT address',
    ...service('192.168.1.5', false),
    code: 'port-in-range',
    object: 'udp 192.168.1.5:1194',
    text: /^a UDP service of this machine listens at 192\.168\.1\.5:1194: .* dropped and nobody is answered; have it use a port below 1024, or /,
  },
  {
    what: 'one on every address, which clients ask there',
    ...service('0.0.0.0', true),
    code: 'port-in-range',
    object: 'udp any address, port 1194',
    within: EVIDENCE_MS,
    text: /^a UDP service of this machine listens on port 1194 of every address, and clients send to it at a SNAT address: /,
  },
];

describe('what is done to packets on a node of a running cluster', () => {
  it.each(CASES)('is named: $what', async ({ begin, code, object, text, end, within = BOUND_MS }) => {
    await log.forget();
    await begin();
    const isIt = (one: { readonly code: string; readonly object: string }) =>
      one.code === code && one.object === object;
    const found = await until(
      `${code} of ${object} in status`,
      async () => (await warningsOf(fw1)).filter(isIt),
      within,
      (warnings) => warnings.length > 0,
    );
    expect(found.map((one) => one.text)).toEqual([expect.stringMatching(text)]);
    const said = (lines: readonly string[]) => lines.filter((line) => line.endsWith(`[${code}]`));
    expect(said(await log.warnings())).toHaveLength(1);
    // Of what one has done, nothing else.
    expect(await warningsOf(fw1)).toEqual(found);
    await end();
    await log.hears(new RegExp(String.raw`no longer so: .*\[${code}\]`), BOUND_MS);
    expect((await warningsOf(fw1)).filter(isIt)).toEqual([]);
    expect(said(await log.warnings())).toHaveLength(1);
  });

  it('is nothing while a service listens on every address, and nobody asks it at that of SNAT', async () => {
    const { begin, end } = service('0.0.0.0', false, '51820');
    await begin();
    for (let looks = 0; looks < 3; looks += 1) {
      await delay(1000);
      expect(await warningsOf(fw1)).toEqual([]);
    }
    await end();
  });

  it('is said of no other node', async () => {
    expect(await warningsOf(lab.node('fw2'))).toEqual([]);
  });

  it('is said by nobody where the agent doesn’t look', async () => {
    await restartAgent(fw1, 'others');
    for (const { begin } of CASES.slice(0, 1)) await begin();
    await delay(BOUND_MS);
    expect((await warningsOf(fw1)).filter(({ code }) => code === DNAT.code)).toEqual([]);
  });
});
