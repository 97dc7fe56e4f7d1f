import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { check } from './complaints.ts';
import { changed } from './sample.ts';

/** A further interface, before the sample's `keepalived`. */
const third = (side: 'inside' | 'outside', ...lines: readonly string[]): string =>
  [
    '    snat: [192.168.1.5]',
    '  eth4:',
    `    side: ${side}`,
    '    mac: "01:00:5e:00:01:04"',
    ...lines.map((line) => `    ${line}`),
  ].join('\n');

const loaded = (line: number, text: string) => parseConfig(changed(line, text), 'c.yaml');
const networks = (line: number, text: string) =>
  loaded(line, text).interfaces.map(({ name, networks }) => [name, ...networks]);

describe('interfaces', () => {
  test('there may be several inside, and VRRP runs on the first', () => {
    const config = loaded(18, third('inside', 'addresses: [172.16.0.5/24]'));
    expect(config.keepalived.interface).toBe('eth1');
    expect(config.interfaces.map(({ networks }) => networks)).toEqual([
      ['192.168.0.0/24'],
      [],
      ['172.16.0.0/24'],
    ]);
  });

  test('there may be several outside, and none of them has to name its networks', () => {
    expect(networks(18, third('outside', 'addresses: [172.16.0.5/24]'))).toEqual([
      ['eth1', '192.168.0.0/24'],
      ['eth2'],
      ['eth4'],
    ]);
    expect(
      networks(18, third('outside', 'addresses: [172.16.0.5/24]', 'networks: [172.16.0.0/16]'))[2],
    ).toEqual(['eth4', '172.16.0.0/16']);
  });

  test('have addresses of both families, in the words of RFC 5952', () => {
    const [eth1] = loaded(13, '    addresses: [192.168.0.5/24, FD00:0:0:1::5/64]').interfaces;
    expect(eth1?.addresses).toEqual([
      { address: '192.168.0.5', prefix: 24 },
      { address: 'fd00:0:0:1::5', prefix: 64 },
    ]);
    expect(eth1?.networks).toEqual(['192.168.0.0/24', 'fd00:0:0:1::/64']);
  });

  test('may share a link-local address, which is no network', () => {
    const text = changed(13, '    addresses: [192.168.0.5/24, fe80::5/64]').replace(
      '[192.168.1.5/24]',
      '[192.168.1.5/24, fe80::5/64]',
    );
    const { interfaces } = parseConfig(text, 'c.yaml');
    expect(interfaces.map(({ addresses }) => addresses[1]?.address)).toEqual(['fe80::5', 'fe80::5']);
    expect(interfaces[0]?.networks).toEqual(['192.168.0.0/24']);
  });

  test('translate to a pool of addresses of both families', () => {
    const text = changed(17, '    addresses: [192.168.1.5/24, 192.168.1.6/24, "fd00:2::5/64"]').replace(
      'snat: [192.168.1.5]',
      'snat: [192.168.1.6, 203.0.113.7, "fd00:2:0::5"]',
    );
    expect(parseConfig(text, 'c.yaml').interfaces[1]?.snat).toEqual([
      '192.168.1.6',
      '203.0.113.7',
      'fd00:2::5',
    ]);
  });

  test('may differ in their delivery', () => {
    const text = changed(12, '    mac: "01:00:5e:7f:ff:ff"\n    delivery: igmp').replace(
      '"01:00:5e:00:01:02"',
      '"02:00:5e:00:01:02"\n    delivery: stealth',
    );
    expect(parseConfig(text, 'c.yaml').interfaces.map(({ mac, delivery }) => [mac, delivery])).toEqual([
      ['01:00:5e:7f:ff:ff', 'igmp'],
      ['02:00:5e:00:01:02', 'stealth'],
    ]);
  });
});

check('addresses of IPv6', [
  [
    13,
    '    addresses: ["fd00::5"]',
    '13:17: interfaces.eth1.addresses[0]: "fd00::5" has no prefix length; use fd00::5/64 if its network is that large',
  ],
  [
    13,
    '    addresses: [fd00::5/129]',
    '13:17: interfaces.eth1.addresses[0]: "fd00::5/129" is not an IPv4 or IPv6 address with a prefix length; use the form 192.168.0.5/24 or "fd00:1::5/64"',
  ],
  [
    13,
    '    addresses: [fe80::5%eth1/64]',
    '13:17: interfaces.eth1.addresses[0]: "fe80::5%eth1/64" is not an IPv4 or IPv6 address with a prefix length; use the form 192.168.0.5/24 or "fd00:1::5/64"',
  ],
  ...['::1/64', 'ff02::1/64', '::/64', '::ffff:1.2.3.4/100'].map(
    (address) =>
      [
        13,
        `    addresses: ["${address}"]`,
        `13:17: interfaces.eth1.addresses[0]: ${address} is not an address that a host can have; use the form 192.168.0.5/24 or "fd00:1::5/64"`,
      ] as const,
  ),
  [
    13,
    '    addresses: [fd00::/64]',
    '13:17: interfaces.eth1.addresses[0]: fd00::/64 is the network itself; use the address of a host in it',
  ],
  [13, '    addresses: [fd00::/127]'],
  [13, '    addresses: [fd00::ffff:ffff:ffff:ffff/64]'],
  [
    13,
    '    addresses: [fd00::5/128]',
    '13:17: interfaces.eth1.addresses[0]: fd00::5/128 says nothing about the network inside; use its real prefix length, or name the prefixes in networks',
  ],
  [
    13,
    '    addresses: [fe80::5/64]',
    '13:16: interfaces.eth1.addresses: are link-local, which says nothing about the network inside; add an address of its network, or name the prefixes in networks',
  ],
  [
    13,
    '    addresses: [fe80::5/64, 192.168.0.5/24, fe80:0::5/64]',
    '13:45: interfaces.eth1.addresses[2]: fe80::5 is there twice, first on eth1; keep one of them',
  ],
  [
    17,
    '    addresses: [192.168.1.5/24, fd00::5/64, fd00:0:0:0::6/48]\n    networks: [192.168.1.0/24, "fd00::/64"]',
    '18:15: interfaces.eth2.networks: leaves out fd00::/48, where fd00::6 is; add fd00::/48',
  ],
]);

const APART = 'a flow between the two would have no side whose address is hashed';

check('networks of several interfaces', [
  [
    18,
    third('inside', 'addresses: [192.168.1.9/25]'),
    '22:17: interfaces.eth4.addresses[0]: 192.168.1.9/25 overlaps with 192.168.1.0/24 on eth2; use networks that have no address in common',
  ],
  [
    18,
    third('inside', 'addresses: [172.16.0.5/24]', 'networks: [172.16.0.0/24, 192.168.0.128/25]'),
    `23:31: interfaces.eth4.networks[1]: 192.168.0.128/25 overlaps with 192.168.0.0/24 on eth1: ${APART}; name only prefixes behind eth4`,
  ],
  [
    18,
    third('outside', 'addresses: [172.16.0.5/24]', 'networks: [172.16.0.0/24, 192.168.0.0/16]'),
    `23:31: interfaces.eth4.networks[1]: 192.168.0.0/16 overlaps with 192.168.0.0/24 on eth1: ${APART}; name only prefixes behind eth4`,
  ],
  // Of two networks the later one is told of.
  [
    13,
    '    addresses: [192.168.0.5/24]\n    networks: [192.168.0.0/24, 10.0.0.0/8]\n  eth4:\n    side: inside\n    mac: "01:00:5e:00:01:04"\n    addresses: [172.16.0.5/24]\n    networks: [172.16.0.0/24, 10.1.0.0/16]',
    `19:31: interfaces.eth4.networks[1]: 10.1.0.0/16 overlaps with 10.0.0.0/8 on eth1: ${APART}; name only prefixes behind eth4`,
  ],
  [
    13,
    '    addresses: [192.168.0.5/24]\n    networks: [192.168.0.0/24, "fe80::/64"]',
    '14:32: interfaces.eth1.networks[1]: fe80::/64 is link-local, so nothing of it is forwarded; leave it out',
  ],
  [
    13,
    '    addresses: [192.168.0.5/24]\n    networks: [192.168.0.0/24, "fd00::1/64"]',
    '14:32: interfaces.eth1.networks[1]: fd00::1/64 has bits set beyond its prefix; use fd00::/64',
  ],
  [
    13,
    '    addresses: [192.168.0.5/24]\n    networks: [192.168.0.0/24, "::/0"]',
    '14:32: interfaces.eth1.networks[1]: ::/0 is every address, and the rest of the world has to be somewhere; name the prefixes behind this interface',
  ],
]);

check('pools of snat', [
  [
    18,
    '    snat: [192.168.1.5, 192.168.1.5]',
    '18:25: interfaces.eth2.snat[1]: 192.168.1.5 is there twice; keep one of them',
  ],
  [
    18,
    `${third('outside', 'addresses: [172.16.0.5/24]', 'snat: [203.0.113.7]').replace('[192.168.1.5]', '[192.168.1.5, 203.0.113.7]')}`,
    '23:12: interfaces.eth4.snat[0]: eth2 translates to 203.0.113.7 too, so replies would come to one of the two for both; give each interface its own',
  ],
  [
    18,
    third('outside', 'addresses: [172.16.0.5/24]', 'snat: [192.168.1.9]'),
    '23:12: interfaces.eth4.snat[0]: 192.168.1.9 is behind eth2; use 172.16.0.5',
  ],
  [
    18,
    third(
      'outside',
      'addresses: [172.16.0.5/24, "fd00:2::5/64"]',
      'snat: [172.16.0.5, "fd00:2::9", fd00:2::5]',
    ),
    '23:24: interfaces.eth4.snat[1]: fd00:2::9 is in fd00:2::/64 but not among the addresses of eth4, so nobody would answer neighbour solicitations for it; add fd00:2::9/64 to addresses, or use fd00:2::5',
  ],
]);

check('link-local addresses', [
  [
    18,
    '    snat: ["fe80::5"]',
    '18:12: interfaces.eth2.snat[0]: "fe80::5" is a link-local address, which is another host\'s on every interface; use an address such as 192.168.1.5 or "fd00:1::5"',
  ],
  [
    18,
    '    snat: ["fd00::5/64"]',
    '18:12: interfaces.eth2.snat[0]: "fd00::5/64" has a prefix length; use fd00::5',
  ],
  [
    18,
    '    snat: [gw]',
    '18:12: interfaces.eth2.snat[0]: "gw" is not an IPv4 or IPv6 address; use an address such as 192.168.1.5 or "fd00:1::5"',
  ],
]);

check('delivery', [
  [
    12,
    '    mac: "01:00:5e:00:01:01"\n    delivery: stelth',
    '13:15: interfaces.eth1.delivery: "stelth" is not known here; did you mean stealth?',
  ],
  // Which MAC would go with it isn't known then.
  [
    12,
    '    mac: "02:00:5e:00:01:01"\n    delivery: unicast',
    '13:15: interfaces.eth1.delivery: "unicast" is not known here; did you mean stealth?',
  ],
  [
    12,
    '    mac: "01:00:5e:00:01:01"\n    delivery: stealth',
    '12:10: interfaces.eth1.mac: "01:00:5e:00:01:01" is a multicast MAC (the low bit of its first byte is 1), and delivery stealth needs a unicast one; use one such as "02:00:5e:00:01:01"',
  ],
  [
    12,
    '    mac: "00:00:00:00:00:00"\n    delivery: stealth',
    '12:10: interfaces.eth1.mac: "00:00:00:00:00:00" is nobody\'s MAC, and delivery stealth needs one that hosts take from ARP; use one such as "02:00:5e:00:01:01"',
  ],
  [
    12,
    '    mac: "00:00:5e:00:01:32"\n    delivery: stealth',
    '12:10: interfaces.eth1.mac: "00:00:5e:00:01:32" is a VRRP router\'s MAC, and with delivery stealth no frame may ever come from it; use one such as "02:00:5e:00:01:01"',
  ],
  [
    12,
    '    mac: "02:00:5e:00:01:01"\n    delivery: igmp',
    '12:10: interfaces.eth1.mac: "02:00:5e:00:01:01" is not a multicast MAC (the low bit of its first byte is 0), so with delivery igmp a switch sends it to one node only; use a multicast MAC such as "01:00:5e:00:01:01"',
  ],
  ...['03:00:5e:00:01:01', '01:00:5e:80:00:01'].map(
    (mac) =>
      [
        12,
        `    mac: "${mac}"\n    delivery: igmp`,
        `12:10: interfaces.eth1.mac: "${mac}" is not the MAC of an IPv4 group, which the nodes join with delivery igmp; use one from "01:00:5e:00:01:00" to "01:00:5e:7f:ff:ff"`,
      ] as const,
  ),
  [
    12,
    '    mac: "01:00:5e:00:00:05"\n    delivery: igmp',
    '12:10: interfaces.eth1.mac: "01:00:5e:00:00:05" is the MAC of a group 224.0.0.x, of which switches keep no members, so it is none for delivery igmp; use one such as "01:00:5e:00:01:01"',
  ],
]);

check('probe of IPv6', [
  [
    13,
    '    addresses: [192.168.0.5/24]\n    probe: "fd00::1"',
    '14:12: interfaces.eth1.probe: "fd00::1" is an IPv6 address, and the neighbour is asked by a ping over IPv4; use an IPv4 address such as 192.168.1.5',
  ],
  [
    13,
    '    addresses: [192.168.0.5/24, "fd00::5/64"]\n    probe: 10.0.0.1',
    '14:12: interfaces.eth1.probe: 10.0.0.1 is in none of the networks of eth1; use the address of a host that is always there, such as a router, in 192.168.0.0/24',
  ],
  [
    13,
    '    addresses: ["fd00::5/64"]\n    probe: 10.0.0.1',
    '14:12: interfaces.eth1.probe: 10.0.0.1 is in none of the networks of eth1; leave it out: it has no IPv4 network',
  ],
]);
