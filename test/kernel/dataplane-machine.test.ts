import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from '../lab/rig/machine.ts';
import { clusterConfig, SHARED_MAC } from './dataplane/cluster-config.ts';
import { Site } from './dataplane/site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.build();
}, 60_000);
afterAll(() => site?.remove());

const config = clusterConfig({ snat: true });
const unload = (node: 'fw1' | 'fw2') => site.node({ action: 'unload', config, node });
afterEach(async () => {
  await unload('fw1');
  await site.fw1.run(['nft', 'flush', 'ruleset']);
});

const OWN_RULES = `
table netdev admin {
  chain in {
    type filter hook ingress device eth1 priority -500
    counter
  }
  chain out {
    type filter hook egress device eth1 priority 0
    counter
  }
}
table ip admin {
  chain pre {
    type filter hook prerouting priority mangle
    counter
  }
  chain nat {
    type nat hook postrouting priority srcnat
    oifname "eth3" masquerade
  }
}
table ip conntrack_ha {
  chain named_like_ours {
    counter
  }
}
`;

/** Everything that a load may change, less what counts and what runs out. */
const stateOf = async (machine: Machine): Promise<string> => {
  const script =
    'nft -s list ruleset; ip -d address; ip maddress; ip route; ip rule; ip neigh show nud permanent; sysctl -a -r "^net\\.(ipv4|netfilter|core)"';
  const text = await machine.run(['sh', '-c', script]);
  return text
    .split('\n')
    .filter((line) => !/nf_conntrack_count|random|valid_lft/.test(line))
    .join('\n');
};

const conntrackSysctl = async (name: string) =>
  (await site.fw1.run(['sysctl', '-n', `net.netfilter.nf_conntrack_${name}`])).trim();

describe('load and unload', () => {
  it.each([{ snat: true }, { snat: false }])(
    'leave the machine as they found it, SNAT $snat',
    async ({ snat }) => {
      const other = clusterConfig({ snat });
      await site.fw1.run(['nft', '-f', '-'], { input: OWN_RULES });
      const before = await stateOf(site.fw1);
      await site.load('fw1', other);
      const during = await stateOf(site.fw1);
      expect(during).toContain('table netdev conntrack_ha');
      expect(during).toContain(SHARED_MAC.inside);
      expect(await conntrackSysctl('tcp_loose')).toBe('0');
      expect(await conntrackSysctl('tcp_be_liberal')).toBe('1');
      expect(await conntrackSysctl('events')).toBe('1');
      await site.load('fw1', other, { owned: [3] });
      expect(await site.node({ action: 'unload', config: other, node: 'fw1' })).toEqual({
        unloaded: { changed: true, warnings: [] },
      });
      expect(await stateOf(site.fw1)).toBe(before);
      await site.fw1.run(['nft', 'flush', 'ruleset']);
    },
  );

  it('loads rules that nft can list, and whose listing it can load', async () => {
    await site.load('fw1', config, { owned: [0, 63] });
    await site.fw1.run(['nft', '-j', 'list', 'ruleset']);
    const listing = await site.fw1.run(['nft', '-s', 'list', 'ruleset']);
    await site.fw1.run(['nft', '-f', '-'], { input: `flush ruleset\n${listing}` });
    expect(await site.fw1.run(['nft', '-s', 'list', 'ruleset'])).toBe(listing);
  });

  it('keeps what was there before: an address, a group, tcp_loose 0', async () => {
    await site.fw1.ip(['address add 192.168.0.5/24 dev eth1']);
    await site.fw1.ip([`maddress add ${SHARED_MAC.outside} dev eth2`]);
    await site.fw1.run(['sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_loose=0']);
    const before = await stateOf(site.fw1);
    await site.load('fw1', config);
    await unload('fw1');
    expect(await stateOf(site.fw1)).toBe(before);
    await site.fw1.ip(['address del 192.168.0.5/24 dev eth1', `maddress del ${SHARED_MAC.outside} dev eth2`]);
    await site.fw1.run(['sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_loose=1']);
  });

  it('keeps an address of the administrator that came after a shared one of its subnet', async () => {
    await site.load('fw2', config);
    await site.fw2.ip(['address add 192.168.0.252/24 dev eth1']);
    await unload('fw2');
    const addresses = await site.fw2.run(['ip', '-4', '-br', 'address', 'show', 'dev', 'eth1']);
    expect(addresses.trim().split(/\s+/).slice(2)).toEqual(['192.168.0.252/24']);
    expect(await site.fw2.run(['sysctl', '-n', 'net.ipv4.conf.eth1.promote_secondaries'])).toBe('0');
    await site.fw2.ip(['address del 192.168.0.252/24 dev eth1']);
  });

  it('takes down what is left when some of it is gone already, and twice', async () => {
    const before = await stateOf(site.fw1);
    await site.load('fw1', config);
    await site.fw1.ip(['address del 192.168.0.5/32 dev eth1', `maddress del ${SHARED_MAC.outside} dev eth2`]);
    await site.fw1.run(['nft', 'delete', 'table', 'netdev', 'conntrack_ha']);
    await unload('fw1');
    expect(await unload('fw1')).toEqual({ unloaded: { changed: false, warnings: [] } });
    expect(await stateOf(site.fw1)).toBe(before);
  });

  it('says what stays when there is no record', async () => {
    await site.load('fw1', config);
    await site.fw1.run(['cp', '-a', '/run/conntrack-ha', '/run/aside']);
    await site.fw1.run(['rm', '/run/conntrack-ha/dataplane.json']);
    const { unloaded } = await unload('fw1');
    expect(unloaded?.warnings).toEqual([
      '/run/conntrack-ha holds no record of the load: its shared addresses, MACs and sysctls stay',
    ]);
    expect(await site.fw1.run(['nft', 'list', 'ruleset'])).toBe('');
    await site.fw1.run(['cp', '-a', '/run/aside/dataplane.json', '/run/conntrack-ha/']);
    await unload('fw1');
  });
});

describe('a second load', () => {
  const owned = async () =>
    (await site.fw1.run(['nft', 'list', 'set', 'netdev', 'conntrack_ha', 'owned']))
      .match(/\{[^{}]*\}\s*\}\s*\}$/)?.[0]
      .replace(/[\s}]+$/, '');

  it('changes nothing of a data plane that is whole', async () => {
    const first = await site.load('fw1', config, { owned: [5, 17] });
    const before = await stateOf(site.fw1);
    expect(await site.load('fw1', config)).toEqual({ ...first, fresh: false });
    expect(await stateOf(site.fw1)).toBe(before);
    expect((await site.node({ action: 'id', config, node: 'fw1' })).id).toBe(first.id);
  });

  it('mends what is missing and keeps the owned buckets', async () => {
    const first = await site.load('fw1', config, { owned: [5, 17] });
    const before = await stateOf(site.fw1);
    await site.fw1.ip(['address del 192.168.1.5/32 dev eth2', `maddress del ${SHARED_MAC.inside} dev eth1`]);
    expect(await site.load('fw1', config)).toEqual({ ...first, fresh: false });
    expect((await stateOf(site.fw1)).split('\n').sort()).toEqual(before.split('\n').sort());
  });

  it('brings changed rules without losing the owned buckets', async () => {
    const first = await site.load('fw1', clusterConfig({ snat: false }), { owned: [5, 17] });
    const second = await site.load('fw1', config);
    expect(second).toEqual({ ...first, fresh: false });
    expect(await owned()).toMatch(/0:5, 0:11/);
    expect(await site.fw1.run(['nft', 'list', 'ruleset'])).toContain('snat');
  });

  it.each([
    'flush chain netdev conntrack_ha decide_ip',
    'flush set netdev conntrack_ha shared_ip',
    'insert rule netdev conntrack_ha leg_1 accept',
    'add table netdev conntrack_ha { flags dormant; }',
  ])('mends what was changed by hand and keeps the owned buckets: %s', async (change) => {
    const rules = async () => (await site.fw1.run(['nft', '-s', 'list', 'ruleset'])).split('\n').sort();
    const first = await site.load('fw1', config, { owned: [5, 17] });
    const before = await rules();
    await site.fw1.run(['nft', change]);
    expect(await rules()).not.toEqual(before);
    expect(await site.load('fw1', config)).toEqual({ ...first, fresh: false });
    expect(await rules()).toEqual(before);
  });

  it('begins closed, with another id, when the tables were flushed', async () => {
    const first = await site.load('fw1', config, { owned: [5] });
    await site.fw1.run(['nft', 'flush', 'ruleset']);
    expect((await site.node({ action: 'id', config, node: 'fw1' })).id).toBeUndefined();
    const second = await site.load('fw1', config);
    expect(second.fresh).toBe(true);
    expect(second.id).not.toBe(first.id);
    expect(await owned()).toBeUndefined();
  });

  it('begins closed when the buckets mean something else', async () => {
    await site.load('fw1', config, { owned: [5] });
    const { fresh } = await site.load('fw1', { ...config, seed: 1 });
    expect(fresh).toBe(true);
    expect(await owned()).toBeUndefined();
  });

  it('takes away what another configuration had brought', async () => {
    const before = await stateOf(site.fw1);
    const moved = {
      ...config,
      interfaces: config.interfaces.map((one) =>
        one.side === 'inside'
          ? { ...one, mac: '01:00:5e:00:01:11', addresses: [{ address: '192.168.0.6', prefix: 24 }] }
          : one,
      ),
    };
    await site.load('fw1', moved);
    await site.load('fw1', config);
    const state = await stateOf(site.fw1);
    expect(state).not.toContain('192.168.0.6');
    expect(state).not.toContain('01:00:5e:00:01:11');
    await unload('fw1');
    expect(await stateOf(site.fw1)).toBe(before);
  });
});

describe('a load that fails', () => {
  const broken = (change: (one: (typeof config.interfaces)[number]) => object) => ({
    ...config,
    interfaces: config.interfaces.map((one) => ({ ...one, ...change(one) })),
  });

  it.each([
    ['rules', broken(() => ({ mac: 'no MAC' })), /nft -f - failed: .*Error: /],
    [
      'addresses',
      broken(({ side }) =>
        side === 'outside' ? { addresses: [{ address: 'fd00:9::5', prefix: 129 }] } : {},
      ),
      /ip address replace fd00:9::5\/129 dev eth2 .*failed: Error: /,
    ],
  ])('at its %s takes back what it did', async (_, wrong, message) => {
    const before = await stateOf(site.fw1);
    const { error } = await site.node({ action: 'load', config: wrong, node: 'fw1' });
    expect(error?.name).toBe('ProgramError');
    expect(error?.message).toMatch(message);
    expect(await stateOf(site.fw1)).toBe(before);
    expect(await site.fw1.run(['ls', '/run/conntrack-ha'])).toBe('');
  });

  it('leaves a data plane alone that was loaded before', async () => {
    await site.load('fw1', config, { owned: [5] });
    const before = await stateOf(site.fw1);
    const { error } = await site.node({
      action: 'load',
      config: broken(() => ({ mac: 'no MAC' })),
      node: 'fw1',
    });
    expect(error?.name).toBe('ProgramError');
    expect(await stateOf(site.fw1)).toBe(before);
  });

  it("refuses a port of a bridge, whose frames are the bridge's", async () => {
    await site.fw1.ip(['link add br9 type bridge', 'link set eth2 master br9']);
    const { error } = await site.node({ action: 'load', config, node: 'fw1' });
    await site.fw1.ip(['link del br9']);
    expect(error?.message).toBe('interfaces.eth2: eth2 is a port of br9; name br9 instead');
  });
});

it('waits for an interface that is not there, named with the key and the mend, and is closed', async () => {
  const [first, ...others] = config.nodes;
  const renamed: typeof config = JSON.parse(
    JSON.stringify({ ...config, nodes: [{ ...first, devices: { eth2: 'enp3s0' } }, ...others] }),
  );
  const { warnings } = await site.load('fw1', renamed, { owned: [5] });
  expect(warnings[0]).toBe(
    'interfaces.eth2: waiting for enp3s0: there is no such interface on fw1 (there are lo, eth1, eth2, eth3); correct nodes.fw1.devices.eth2',
  );
  const rules = await site.fw1.run(['nft', 'list', 'table', 'netdev', 'conntrack_ha']);
  expect(rules).toContain('hook ingress device "eth1"');
  expect(rules).not.toContain('enp3s0');
  expect(await site.fw1.run(['ip', '-br', 'address'])).toContain('192.168.0.5/32');
  await site.fw1.ip(['link set eth2 name enp3s0']);
  expect((await site.load('fw1', renamed)).fresh).toBe(false);
  expect(await site.fw1.run(['nft', 'list', 'table', 'netdev', 'conntrack_ha'])).toContain('device "enp3s0"');
  expect(await site.fw1.run(['ip', '-br', 'address', 'show', 'dev', 'enp3s0'])).toContain('192.168.1.5/32');
  await site.node({ action: 'unload', config: renamed, node: 'fw1' });
  await site.fw1.ip(['link set enp3s0 down', 'link set enp3s0 name eth2', 'link set eth2 up']);
});

it('warns of a node that does not forward, an interface that is down, a sync address that is missing', async () => {
  await site.fw1.run(['sysctl', '-qw', 'net.ipv4.ip_forward=0']);
  await site.fw1.ip(['address del 10.99.0.1/24 dev eth3', 'link set eth3 down']);
  const { warnings } = await site.load('fw1', config);
  expect(warnings).toEqual([
    'net.ipv4.ip_forward is 0: this node forwards nothing; set it with "sysctl -w net.ipv4.ip_forward=1" [ipv4-forwarding]',
    'eth3 is down: no peer can be reached; bring it up with "ip link set eth3 up" [sync-device]',
    'eth3 has no address 10.99.0.1 (nodes.fw1.sync): no peer can be reached; add it with "ip address add 10.99.0.1/LENGTH dev eth3" [sync-address]',
  ]);
  await site.fw1.run(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  await site.fw1.ip(['address add 10.99.0.1/24 dev eth3', 'link set eth3 up']);
});

it('warns of a node that forwards no IPv6 only where the nodes share IPv6 addresses', async () => {
  const [inside, ...others] = config.interfaces;
  if (inside === undefined) throw new Error('a cluster without interfaces');
  const addresses = [...inside.addresses, { address: 'fd00:1::5', prefix: 64 }];
  const dual = { ...config, interfaces: [{ ...inside, addresses }, ...others] };
  await site.fw1.run(['sysctl', '-qw', 'net.ipv6.conf.all.forwarding=0']);
  expect((await site.load('fw1', config)).warnings).toEqual([]);
  expect((await site.load('fw1', dual)).warnings).toEqual([
    'net.ipv6.conf.all.forwarding is 0: this node forwards nothing of IPv6; set it with "sysctl -w net.ipv6.conf.all.forwarding=1" [ipv6-forwarding]',
    expect.stringMatching(/^eth1 has no IPv6 address of its own: .+ from the shared fd00:1::5, /),
  ]);
});
