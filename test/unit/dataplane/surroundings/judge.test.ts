import { describe, expect, it } from 'vitest';
import { findingsOf, judgeSurroundings } from '../../../../src/dataplane/surroundings/judge.ts';
import { needsOf } from '../../../../src/dataplane/surroundings/needs.ts';
import { ownOnLegs } from '../../../../src/dataplane/surroundings/own-addresses.ts';
import { destinationsOf } from '../../../../src/dataplane/surroundings/routes.ts';
import type { LocalAddress } from '../../../../src/kernel/links.ts';
import { clusterConfig } from '../../../support/cluster-config.ts';
import { type Broken, machine, NEEDS, NODE } from './machine.ts';

const found = (broken: Broken, earlier: readonly LocalAddress[] = []) =>
  findingsOf(judgeSurroundings(NEEDS, machine(broken), earlier));

const said = (broken: Broken, earlier: readonly LocalAddress[] = []): readonly string[] =>
  found(broken, earlier).map(({ problem }) => problem);

const codes = (broken: Broken, earlier: readonly LocalAddress[] = []): readonly string[] =>
  found(broken, earlier).map(({ code, object }) => `${code}: ${object}`);

const ownOf = (broken: Broken) => ownOnLegs(NEEDS, machine(broken).addresses);

/** All own addresses of a machine that has everything. */
const ALL = ownOf({});

const NO_WAY: Broken = { routes: { '10.0.0.0/8': 'none' } };
const STRICT = { 'net.ipv4.conf.eth1.rp_filter': '1' };

describe('nothing is said of a machine', () => {
  it.each<[string, Broken]>([
    ['that has everything', {}],
    [
      'whose interfaces all forward, though the setting for all says 0',
      { settings: { 'net.ipv4.ip_forward': '0' } },
    ],
    ['that is no IPv6 router outside', { settings: { 'net.ipv6.conf.eth2.forwarding': '0' } }],
    ['with a strict reverse path filter and right routes', { settings: STRICT }],
    [
      'that keeps no IPv6 addresses, and has them all',
      { settings: { 'net.ipv6.conf.all.keep_addr_on_down': '0' } },
    ],
    [
      'whose inside interface is down',
      { links: { eth1: { up: false, carrier: false } }, routes: { '10.0.0.0/8': 'none' } },
    ],
    [
      'whose inside interface has no carrier',
      { links: { eth1: { carrier: false } }, routes: { '10.0.0.0/8': 'none' } },
    ],
    ['whose inside interface is missing', { links: { eth1: undefined } }],
    [
      'whose legs are in a VRF, that has a table of its own',
      { links: { eth1: { master: 9 } }, routes: { '10.0.0.0/8': 'none' } },
    ],
    ['that has other own addresses', { without: ['eth1 192.168.0.241/24'], more: ['eth1 192.168.0.9/32'] }],
  ])('%s', (_, broken) => {
    expect(said(broken, ALL)).toEqual([]);
  });

  it('that has no IPv6 where the cluster has none', () => {
    const config = clusterConfig();
    const seen = machine({
      settings: { 'net.ipv6.conf.all.forwarding': '0', 'net.ipv6.conf.eth1.disable_ipv6': '1' },
      without: ['eth1 fd00:1::241/64', 'eth2 fd00:9::241/64'],
    });
    expect(findingsOf(judgeSurroundings(needsOf(config, NODE), seen))).toEqual([]);
  });

  it('that has a link-local address of its own beside shared ones that are so too', () => {
    const [inside, outside] = clusterConfig().interfaces;
    if (inside === undefined || outside === undefined) throw new Error('a cluster without interfaces');
    const addresses = [...inside.addresses, { address: 'fe80::5', prefix: 64 }];
    const config = clusterConfig({ interfaces: [{ ...inside, addresses }, outside] });
    const seen = machine({ without: ['eth1 fd00:1::241/64'] });
    expect(findingsOf(judgeSurroundings(needsOf(config, NODE), seen))).toEqual([]);
  });
});

describe('forwarding', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'of IPv4, off for all',
      {
        'net.ipv4.ip_forward': '0',
        'net.ipv4.conf.eth1.forwarding': '0',
        'net.ipv4.conf.eth2.forwarding': '0',
      },
      'net.ipv4.ip_forward is 0: this node forwards nothing; set it with "sysctl -w net.ipv4.ip_forward=1"',
    ],
    [
      'of IPv4, off for one interface',
      { 'net.ipv4.conf.eth2.forwarding': '0' },
      'net.ipv4.conf.eth2.forwarding is 0: this node forwards no IPv4 packet that comes in by eth2; set it with "sysctl -w net.ipv4.conf.eth2.forwarding=1"',
    ],
    [
      'of IPv6, off for all',
      {
        'net.ipv6.conf.all.forwarding': '0',
        'net.ipv6.conf.eth1.forwarding': '0',
        'net.ipv6.conf.eth2.forwarding': '0',
      },
      'net.ipv6.conf.all.forwarding is 0: this node forwards nothing of IPv6; set it with "sysctl -w net.ipv6.conf.all.forwarding=1"',
    ],
    [
      'of IPv6, off inside',
      { 'net.ipv6.conf.eth1.forwarding': '0' },
      'net.ipv6.conf.eth1.forwarding is 0: this node tells its neighbours on eth1 that it is no router, and those that have learned it as one send it nothing more; set it with "sysctl -w net.ipv6.conf.eth1.forwarding=1"',
    ],
  ])('%s', (_, settings, text) => {
    expect(said({ settings })).toEqual([text]);
  });

  it('is IPv6 switched off, nothing is said of its addresses and routes', () => {
    const gone = {
      settings: { 'net.ipv6.conf.eth1.disable_ipv6': '1' },
      without: ['eth1 fd00:1::241/64', 'eth1 fd00:1::5/64', 'eth1 fe80::1/64'],
      routes: { 'fd00:1::/64': 'none' },
    };
    expect(said(gone, ALL)).toEqual([
      'net.ipv6.conf.eth1.disable_ipv6 is 1: no IPv6 packet comes in or leaves by eth1; set it with "sysctl -w net.ipv6.conf.eth1.disable_ipv6=0"',
    ]);
  });
});

describe('the sync link', () => {
  it.each<[string, Broken, readonly string[]]>([
    [
      'is missing',
      { links: { eth3: undefined }, without: ['eth3 10.99.0.1/24'] },
      ['eth3 is missing (sync.interface): no peer can be reached; bring it back, or correct sync.interface'],
    ],
    [
      'is down',
      { links: { eth3: { up: false, carrier: false } } },
      ['eth3 is down: no peer can be reached; bring it up with "ip link set eth3 up"'],
    ],
    [
      'has lost its address',
      { without: ['eth3 10.99.0.1/24'] },
      [
        'eth3 has no address 10.99.0.1 (nodes.fw1.sync): no peer can be reached; add it with "ip address add 10.99.0.1/LENGTH dev eth3"',
      ],
    ],
  ])('%s', (_, broken, texts) => {
    expect(said(broken)).toEqual(texts);
  });
});

describe('a way to each prefix', () => {
  it.each([
    [
      'none',
      'what this node sends there goes nowhere: there is no route; mend it with "ip route replace 10.0.0.0/8 via ROUTER dev eth1"',
    ],
    ['eth2', 'what this node sends there goes out of eth2, the wrong way; '],
    ['blackhole', 'what this node sends there goes nowhere: the route is of type blackhole; '],
    ['unreachable', 'what this node sends there goes nowhere: the route is of type unreachable; '],
    ['prohibit', 'what this node sends there goes nowhere: the route is of type prohibit; '],
    ['local', 'what this node sends there goes nowhere: the route says that it is this machine itself; '],
  ])('%s', (route, text) => {
    expect(said({ routes: { '10.0.0.0/8': route } })).toEqual([
      expect.stringContaining(`10.0.0.0/8 is behind eth1, but ${text}`),
    ]);
  });

  it('the subnets of shared addresses too, outside as well and in both families', () => {
    const routes = {
      '192.168.0.0/24': 'none',
      '192.168.1.0/24': 'none',
      'fd00:1::/64': 'eth2',
      'fd00:9::/64': 'eth1',
    };
    expect(said({ routes })).toEqual([
      expect.stringContaining('mend it with "ip route replace 192.168.0.0/24 dev eth1"'),
      expect.stringContaining('mend it with "ip route replace fd00:1::/64 dev eth1"'),
      expect.stringContaining('mend it with "ip route replace 192.168.1.0/24 dev eth2"'),
      expect.stringContaining('mend it with "ip route replace fd00:9::/64 dev eth2"'),
    ]);
  });

  it('asks for a host that is nobody here, and not for what a shared address will bring', () => {
    const asked = (broken: Broken) => destinationsOf(NEEDS.legs, machine(broken));
    expect(asked({ more: ['lo 192.168.0.1/32', 'lo 192.168.0.2/32'] })).toEqual([
      { prefix: '192.168.0.0/24', host: '192.168.0.3' },
      { prefix: '10.0.0.0/8', host: '10.0.0.1' },
      { prefix: 'fd00:1::/64', host: 'fd00:1::1' },
      { prefix: '192.168.1.0/24', host: '192.168.1.1' },
      { prefix: 'fd00:9::/64', host: 'fd00:9::1' },
    ]);
    const closed = { without: ['eth1 192.168.0.5/24', 'eth1 192.168.0.241/24', 'eth2 fd00:9::5/64'] };
    expect(asked(closed).map(({ prefix }) => prefix)).toEqual([
      '10.0.0.0/8',
      'fd00:1::/64',
      '192.168.1.0/24',
      'fd00:9::/64',
    ]);
  });

  it('asks beyond the subnet of a shared address within it, which a route of its own leads to', () => {
    const [inside, outside] = clusterConfig().interfaces;
    if (inside === undefined || outside === undefined) throw new Error('a cluster without interfaces');
    const config = clusterConfig({ interfaces: [{ ...inside, networks: ['192.168.0.0/16'] }, outside] });
    expect(destinationsOf(needsOf(config, NODE).legs, machine())).toContainEqual({
      prefix: '192.168.0.0/16',
      host: '192.168.255.254',
    });
  });

  it('of one address or two asks for these', () => {
    const [inside, outside] = clusterConfig().interfaces;
    if (inside === undefined || outside === undefined) throw new Error('a cluster without interfaces');
    const networks = ['10.1.1.1/32', '10.1.1.2/31', 'fd00:a::1/128', '192.168.0.241/32'];
    const config = clusterConfig({ interfaces: [{ ...inside, networks }, outside] });
    expect(destinationsOf(needsOf(config, NODE).legs, machine()).map(({ host }) => host)).toEqual([
      '10.1.1.1',
      '10.1.1.2',
      'fd00:a::1',
      '192.168.0.1',
      '192.168.1.1',
    ]);
  });
});

describe('a reverse path filter where a route is wrong', () => {
  const strict = (name: string) =>
    `${name} is 1, strict: what comes in by eth1 from 10.0.0.0/8 is dropped, since the way back doesn't leave by eth1; mend the route, or make it loose with "sysctl -w net.ipv4.conf.eth1.rp_filter=2"`;

  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['0', {}, []],
    ['1', STRICT, [strict('net.ipv4.conf.eth1.rp_filter')]],
    ['1 for all', { 'net.ipv4.conf.all.rp_filter': '1' }, [strict('net.ipv4.conf.all.rp_filter')]],
    ['2', { 'net.ipv4.conf.eth1.rp_filter': '2' }, []],
    ['1, and 2 for all', { ...STRICT, 'net.ipv4.conf.all.rp_filter': '2' }, []],
    ['1 on the other interface', { 'net.ipv4.conf.eth2.rp_filter': '1' }, []],
  ])('%s', (_, settings, texts) => {
    const filters = found({ ...NO_WAY, settings }).filter(({ code }) => code === 'rp-filter');
    expect(filters.map(({ problem }) => problem)).toEqual(texts);
  });

  it('is of IPv4 only', () => {
    expect(codes({ routes: { 'fd00:1::/64': 'none' }, settings: STRICT })).toEqual([
      'route: eth1 fd00:1::/64',
    ]);
  });
});

describe('own addresses', () => {
  it('that there are none of', () => {
    expect(said({ without: ['eth1 192.168.0.241/24', 'eth2 fd00:9::241/64'] })).toEqual([
      'eth1 has no IPv4 address of its own: this node\'s own connections there come from the shared 192.168.0.5, and the answers to many of them go to another node; add one with "ip address add ADDRESS/24 dev eth1"',
      'eth2 has no IPv6 address of its own: this node\'s own connections there come from the shared fd00:9::5, and the answers to many of them go to another node; add one with "ip address add ADDRESS/64 dev eth2"',
    ]);
  });

  it('that there were, and are gone', () => {
    expect(said({ without: ['eth1 192.168.0.241/24'] }, ALL)).toEqual([
      '192.168.0.241/24 is gone from eth1: this node\'s own connections there come from the shared 192.168.0.5, and the answers to many of them go to another node; add it with "ip address add 192.168.0.241/24 dev eth1"',
    ]);
  });

  const gone = { without: ['eth1 fd00:1::241/64'] };

  it('of IPv6 go with the link', () => {
    expect(said(gone, ALL)).toEqual([
      'fd00:1::241/64 is gone from eth1 (the kernel drops IPv6 addresses with the link while net.ipv6.conf.eth1.keep_addr_on_down is 0): this node\'s own connections there come from the shared fd00:1::5, and the answers to many of them go to another node; add it with "ip address add fd00:1::241/64 dev eth1", and have it kept with "sysctl -w net.ipv6.conf.eth1.keep_addr_on_down=1"',
    ]);
  });

  it.each(['all', 'eth1'])('of IPv6 don’t where they are kept: %s', (which) => {
    const settings = { [`net.ipv6.conf.${which}.keep_addr_on_down`]: '1' };
    expect(said({ ...gone, settings }, ALL)).toEqual([expect.not.stringContaining('keep_addr_on_down')]);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['while another of the network is there', ['eth1 192.168.0.77/24'], []],
    [
      'while only one of another network is there',
      ['eth1 172.16.0.1/24'],
      ['own-address-gone: eth1 192.168.0.241/24'],
    ],
  ])('that are gone: %s', (_, more, texts) => {
    expect(codes({ without: ['eth1 192.168.0.241/24'], more }, ALL)).toEqual(texts);
  });

  it('of a network that is none of the cluster’s may go', () => {
    const alias = ownOf({ more: ['eth1 172.16.0.1/24'] });
    expect(codes({}, alias)).toEqual([]);
    expect(
      codes({ without: ['eth1 192.168.0.241/24'] }, [
        { device: 'eth1', address: '172.16.0.1', prefix: 24, deprecated: false },
      ]),
    ).toEqual(['own-address-gone: eth1 172.16.0.1/24']);
  });
});

it('writes settings of an interface with a dot in its name with slashes', () => {
  const config = clusterConfig();
  const node = { ...NODE, devices: { eth1: 'eth0.5' } };
  const seen = machine({ settings: { 'net/ipv4/conf/eth0.5/forwarding': '0' } });
  expect(findingsOf(judgeSurroundings(needsOf(config, node), seen)).map(({ problem }) => problem)).toContain(
    'net/ipv4/conf/eth0.5/forwarding is 0: this node forwards no IPv4 packet that comes in by eth0.5; set it with "sysctl -w net/ipv4/conf/eth0.5/forwarding=1"',
  );
});
