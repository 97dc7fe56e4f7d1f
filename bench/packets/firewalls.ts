import { planOf } from '../../src/dataplane/plan.ts';
import { prefilterProgram } from '../../src/dataplane/prefilter/program.ts';
import { renderNftables } from '../../src/dataplane/render.ts';
import { clusterConfig, nodeNamed, SHARED, SHARED_MAC } from '../../test/kernel/dataplane/cluster-config.ts';
import { LOWER } from '../../test/kernel/dataplane/site.ts';
import type { Machine } from '../../test/lab/rig/machine.ts';
import { SEED } from '../../test/lab/rig/plan.ts';

export type Side = 'inside' | 'outside';

/** One way of filtering, that gets a machine of its own. */
export interface Firewall {
  readonly name: string;
  readonly snat: boolean;
  /** What it is: the least that a machine can do with a packet, one firewall alone, or fw1 of a cluster of two. */
  readonly kind: 'receiver' | 'alone' | 'node';
  /** What frames are sent to. */
  readonly macs: Readonly<Record<Side, string>>;
  readonly setUp: (machine: Machine) => Promise<unknown>;
}

/** Devices of a machine, inside and outside. */
export const DEVICES: Readonly<Record<Side, string>> = { inside: 'eth1', outside: 'eth2' };

/** MACs of these devices, the same in every machine. */
export const OWN_MACS: Readonly<Record<Side, string>> = {
  inside: '02:00:00:00:01:01',
  outside: '02:00:00:00:01:02',
};

/** All that are compared. */
export const firewalls = (): readonly Firewall[] => [
  { name: 'receiving', snat: false, kind: 'receiver', macs: OWN_MACS, setUp: dropAll },
  { name: 'shortest rules', snat: false, kind: 'node', macs: SHARED_MAC, setUp: shortest },
  ...[false, true].flatMap((snat): readonly Firewall[] => [
    { name: 'one firewall', snat, kind: 'alone', macs: OWN_MACS, setUp: (machine) => alone(machine, snat) },
    {
      name: 'conntrack-ha',
      snat,
      kind: 'node',
      macs: SHARED_MAC,
      setUp: (machine) => product(machine, snat),
    },
    {
      name: 'conntrack-ha, prefilter',
      snat,
      kind: 'node',
      macs: SHARED_MAC,
      setUp: (machine) => prefiltered(machine, snat),
    },
    { name: 'xt_cluster', snat, kind: 'node', macs: SHARED_MAC, setUp: (machine) => howto(machine, snat) },
  ]),
];

/** Drops whatever comes in on the devices, where the product's rules begin. */
export const dropAllOn = (machine: Machine, devices: readonly string[]): Promise<string> =>
  nft(
    machine,
    `table netdev receiver {
      chain drop_all {
        type filter hook ingress devices = { ${devices.join(', ')} } priority -500; policy drop;
      }
    }`,
  );

const dropAll = (machine: Machine): Promise<string> => dropAllOn(machine, Object.values(DEVICES));

const alone = (machine: Machine, snat: boolean): Promise<string> =>
  nft(
    machine,
    `table ip alone {
      chain forward {
        type filter hook forward priority filter; policy accept;
        ct state invalid drop
      }
      ${
        snat
          ? `chain translate {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "${DEVICES.outside}" snat to ${SHARED.outside}
      }`
          : ''
      }
    }`,
  );

/** Longer than any measurement: a manager's buckets have leases. */
const LEASE_MS = 3_600_000;

const product = async (machine: Machine, snat: boolean): Promise<void> => {
  const config = clusterConfig({ snat });
  const owned = { buckets: LOWER, timeout: LEASE_MS };
  // As on a machine that has no other addresses than the shared ones.
  const links = [
    { name: 'lo', up: true, ethernet: false, master: undefined, mac: '', addresses: ['127.0.0.1/8'] },
  ];
  await nft(machine, renderNftables(config, nodeNamed(config, 'fw1'), links, owned));
  // As src/dataplane/load.ts sets them.
  const sysctls = ['tcp_loose=0', 'tcp_be_liberal=1', 'events=1'];
  await machine.run(['sysctl', '-qw', ...sysctls.map((setting) => `net.netfilter.nf_conntrack_${setting}`)]);
};

/** The same, with a program that drops before the rules what they would drop. */
const prefiltered = async (machine: Machine, snat: boolean): Promise<void> => {
  await product(machine, snat);
  const config = clusterConfig({ snat });
  const plan = planOf(config, nodeNamed(config, 'fw1'));
  for (const leg of plan.legs) {
    const program = prefilterProgram(plan, leg, new Set(LOWER), []);
    const text = [
      String(program.length),
      ...program.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`),
    ].join(',');
    await machine.run(['tc', 'qdisc', 'add', 'dev', leg.device, 'clsact']);
    await machine.run([
      ...['tc', 'filter', 'add', 'dev', leg.device, 'ingress', 'protocol', 'ip'],
      ...['bpf', 'bytecode', text, 'direct-action'],
    ]);
  }
};

/**
 * The least that sorts packets by hash in nftables, as a measure for the product's: it exempts nothing, and what isn't
 * forwarded doesn't work with it.
 */
const shortest = (machine: Machine): Promise<string> => {
  const hash = (field: string) => `jhash ip ${field} mod 64 seed 0x${SEED.toString(16)}`;
  const chain = (side: Side, field: string) => `
      chain ${side} {
        type filter hook ingress device "${DEVICES[side]}" priority -500; policy accept;
        meta protocol != ip accept
        ${hash(field)} != @owned meta pkttype multicast counter drop
        counter meta pkttype set host
      }`;
  return nft(
    machine,
    `table netdev shortest {
      set owned {
        typeof ${hash('saddr')}
        elements = { ${LOWER.join(', ')} }
      }
      ${chain('inside', 'saddr')}
      ${chain('outside', 'daddr')}
    }
    table ip shortest {
      chain forward {
        type filter hook forward priority filter; policy accept;
        ct state invalid drop
      }
    }`,
  );
};

/** The rules of the netfilter project's howto for the first of two nodes. */
const howto = async (machine: Machine, snat: boolean): Promise<void> => {
  const devices = Object.values(DEVICES);
  const cluster = `-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 0x${SEED.toString(16)}`;
  const rules = [
    '*mangle',
    ...devices.map((device) => `-A PREROUTING -i ${device} ${cluster} -j MARK --set-mark 0xffff`),
    ...devices.map((device) => `-A PREROUTING -i ${device} -m mark ! --mark 0xffff -j DROP`),
    'COMMIT',
    '*filter',
    '-A FORWARD -m conntrack --ctstate INVALID -j DROP',
    'COMMIT',
    ...(snat
      ? ['*nat', `-A POSTROUTING -o ${DEVICES.outside} -j SNAT --to-source ${SHARED.outside}`, 'COMMIT']
      : []),
  ];
  await machine.run(['iptables-restore'], { input: `${rules.join('\n')}\n` });
};

const nft = (machine: Machine, rules: string): Promise<string> =>
  machine.run(['nft', '-f', '-'], { input: `${rules}\n` });
