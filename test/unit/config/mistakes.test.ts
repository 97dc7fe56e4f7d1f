import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { check, complaints, type Row } from './complaints.ts';
import { changed, SAMPLE } from './sample.ts';

const MAC = 'use a multicast MAC such as "01:00:5e:00:01:01"';
const ADDRESS =
  'is not an IPv4 or IPv6 address with a prefix length; use the form 192.168.0.5/24 or "fd00:1::5/64"';
const SYNTAX = 'check the indentation, the colons, brackets and quotes here and in the line above';
const UNKNOWN =
  'is not a known key; use cluster, seed, buckets, firewall, prefilter, manager, nodes, sync, interfaces, publish, helpers, keepalived, pacemaker, log, timeouts or paths, or leave it out';
const NODE = 'use { id: 1, sync: 10.99.0.1 }';
const LABEL = 'use letters, digits and hyphens, such as fw1';
const LABEL_KEY = 'use the first part of its host name, such as fw1';
const DEVICE = 'use the name that `ip link` shows, such as eth1';

test('the sample holds no mistake', () => {
  expect(complaints(SAMPLE)).toEqual([]);
});

check('not YAML', [
  [
    5,
    '\tfw1: { id: 1 }',
    '5:1: is not YAML: Tabs are not allowed as indentation; use spaces',
    `6:1: is not YAML: All mapping items must start at the same column; ${SYNTAX}`,
  ],
  [1, 'cluster: !name edge', '1:10: is not YAML: Unresolved tag: !name; leave the tag out'],
  [
    20,
    '---\na: 1',
    '20:1: is not YAML: it holds more than one document; keep one document: take out the line ---',
  ],
  [
    1,
    'cluster: *edge',
    '1:10: is not YAML: no anchor &edge before *edge; write the value out, or in quotes if it begins with a star',
  ],
  // Two mistakes in one line: the first is told.
  [
    1,
    'cluster: edge\n  b: 2',
    `1:10: is not YAML: Nested mappings are not allowed in compact mappings; ${SYNTAX}`,
  ],
  [1, 'cluster: "edge', `1:15: is not YAML: Missing closing "quote; ${SYNTAX}`],
]);

check('keys', [
  [1, undefined, `1:1: cluster: is missing; ${LABEL}`],
  [1, 'cluster:', `1:9: cluster: is empty; ${LABEL}`],
  [3, 'bucket: 64', '3:1: bucket: is not a known key; did you mean buckets?'],
  [3, 'Buckets: 64', '3:1: Buckets: is not a known key; did you mean buckets?'],
  [3, 'frobnicate: 64', `3:1: frobnicate: ${UNKNOWN}`],
  [3, 'cluster: other', '3:1: cluster: is there twice, first in line 1; keep one of them'],
  [
    6,
    '  fw1: { id: 2, sync: 10.99.0.2 }',
    '4:1: nodes: holds one node; name at least two firewalls',
    '6:3: nodes.fw1: is there twice, first in line 5; keep one of them',
  ],
  [
    5,
    '  fw1: { id: 1, id: 1, sync: 10.99.0.1 }',
    '5:17: nodes.fw1.id: is there twice, first in line 5; keep one of them',
  ],
  [
    3,
    '__proto__: { buckets: 64 }',
    '3:1: __proto__: is no key; use plain words as keys',
    `3:1: __proto__: ${UNKNOWN}`,
  ],
  [3, '? [a]\n: 1', `1:1: [ a ]: ${UNKNOWN}`, '3:3: a list: is no key; use plain words as keys'],
  [
    13,
    '    adresses: [192.168.0.5/24]',
    '13:5: interfaces.eth1.adresses: is not a known key; did you mean addresses?',
  ],
  [8, '  interfaces: eth3', '8:3: sync.interfaces: is not a known key; did you mean interface?'],
]);

check('sections', [
  [8, undefined, '7:6: sync: is empty; use { interface: eth3 }'],
  [5, '  fw1: 10.99.0.1', `5:8: nodes.fw1: "10.99.0.1" is not a map; ${NODE}`],
  [5, '  fw1:', `5:7: nodes.fw1: is empty; ${NODE}`],
  [5, '  fw1: [1]', `5:8: nodes.fw1: a list is not a map; ${NODE}`],
  [
    13,
    '    addresses: 192.168.0.5/24',
    '13:16: interfaces.eth1.addresses: "192.168.0.5/24" is not a list; use [192.168.0.5/24]',
  ],
  [13, '    addresses: {}', '13:16: interfaces.eth1.addresses: a map is not a list; use [192.168.0.5/24]'],
  [13, '    addresses: []', '13:16: interfaces.eth1.addresses: holds no address; use [192.168.0.5/24]'],
  [13, undefined, '10:3: interfaces.eth1.addresses: is missing; use [192.168.0.5/24]'],
  [20, '  - vrid', '20:3: keepalived: a list is not a map; use { interface: eth1, advert: 0.1 }'],
]);

check('cluster, seed and buckets', [
  [
    1,
    'cluster: my_edge',
    `1:10: cluster: "my_edge" holds an underscore, which separates the nodes in a group's name; ${LABEL}`,
  ],
  [1, 'cluster: 7', `1:10: cluster: 7 is not a text; ${LABEL}`],
  [1, 'cluster: -edge', `1:10: cluster: "-edge" is no host name; ${LABEL}`],
  ...['-1', '0x1ffffffff', '1.5', '.nan', '[1]', '"0xzz"', 'on'].map((seed): Row => {
    const shown: Record<string, string> = {
      '0x1ffffffff': '8589934591',
      '.nan': 'NaN',
      '[1]': 'a list',
      on: '"on"',
    };
    return [
      2,
      `seed: ${seed}`,
      `2:7: seed: ${shown[seed] ?? seed} is not a number of 32 bits; use a number from 0 to 0xffffffff, such as 0xdeadbeef`,
    ];
  }),
  [3, 'buckets: 48', '3:10: buckets: 48 is not a power of two; use 32 or 64'],
  [3, 'buckets: 1023', '3:10: buckets: 1023 is not a power of two; use 512 or 1024'],
  ...['1', '0', '-2', '2048', '2.5', 'many', '.inf'].map((count): Row => {
    const shown: Record<string, string> = { many: '"many"', '.inf': 'Infinity' };
    return [
      3,
      `buckets: ${count}`,
      `3:10: buckets: ${shown[count] ?? count} is not a number of buckets; use a power of two from 2 to 1024, such as 64`,
    ];
  }),
]);

check('nodes', [
  [6, undefined, '4:1: nodes: holds one node; name at least two firewalls'],
  [
    6,
    Array.from({ length: 16 }, (_, at) => `  fw${at + 2}: { id: ${at + 2}, sync: 10.99.0.${at + 2} }`).join(
      '\n',
    ),
    '3:10: buckets: 64 leaves some of the 272 groups of 17 nodes without a bucket; use at least 512',
    '21:3: nodes.fw17: is one node too many: 17 make more groups than there are VRIDs; keep 16 nodes',
  ],
  [6, '  fw2: { id: 2, sync: 10.99.0.2 }\n  fw3: { id: 3, sync: 10.99.0.3 }'],
  [
    6,
    '  fw_2: { id: 2, sync: 10.99.0.2 }',
    `6:3: nodes.fw_2: "fw_2" holds an underscore, which separates the nodes in a group's name; ${LABEL_KEY}`,
  ],
  [
    6,
    '  fw2.lan: { id: 2, sync: 10.99.0.2 }',
    `6:3: nodes.fw2.lan: "fw2.lan" holds a dot, and nodes go by the first part of the host name; ${LABEL_KEY}`,
  ],
  [6, '  fw!: { id: 2, sync: 10.99.0.2 }', `6:3: nodes.fw!: "fw!" is no host name; ${LABEL_KEY}`],
  [
    6,
    '  FW1: { id: 2, sync: 10.99.0.2 }',
    '6:3: nodes.FW1: is the name of fw1 but for capitals; use another name',
  ],
  [6, '  fw2: { id: 1, sync: 10.99.0.2 }', "6:14: nodes.fw2.id: 1 is fw1's; give each node its own"],
  [
    6,
    '  fw2: { id: 0, sync: 10.99.0.2 }',
    '6:14: nodes.fw2.id: 0 is not a node id; use a whole number from 1 to 255',
  ],
  [6, '  fw2: { sync: 10.99.0.2 }', '6:3: nodes.fw2.id: is missing; use a whole number from 1 to 255'],
  [
    6,
    '  fw2: { id: 2, sync: 10.99.0.1 }',
    "6:23: nodes.fw2.sync: 10.99.0.1 is fw1's; give each node its own",
  ],
  [
    6,
    '  fw2: { id: 2, sync: fd00::1 }',
    `6:23: nodes.fw2.sync: "fd00::1" is an IPv6 address, and states and messages go between the nodes over IPv4; use an IPv4 address such as 192.168.1.5`,
  ],
  [
    6,
    '  fw2: { id: 2, sync: 10.99.0.2/24 }',
    '6:23: nodes.fw2.sync: "10.99.0.2/24" has a prefix length; use 10.99.0.2',
  ],
  [
    6,
    '  fw2: { id: 2, sync: 10.99.0.256 }',
    '6:23: nodes.fw2.sync: "10.99.0.256" is not an IPv4 address; use an IPv4 address such as 192.168.1.5',
  ],
  [
    6,
    '  fw2: { id: 2, sync: 010.99.0.2 }',
    '6:23: nodes.fw2.sync: "010.99.0.2" is not an IPv4 address; use an IPv4 address such as 192.168.1.5',
  ],
  [
    6,
    '  fw2: { id: 2, sync: 224.0.0.18 }',
    '6:23: nodes.fw2.sync: 224.0.0.18 is not an address that a host can have; use an IPv4 address such as 192.168.1.5',
  ],
  [
    6,
    '  fw2: { id: 2, sync: 192.168.0.7 }',
    '6:23: nodes.fw2.sync: 192.168.0.7 is within 192.168.0.0/24, the network of eth1; use an address of a network that only the sync link has',
  ],
  [
    6,
    '  fw2: { id: 2, sync: 10.99.0.2, devices: { eht1: enp3s0 } }',
    '6:45: nodes.fw2.devices.eht1: is no interface of this configuration; use eth1, eth2 or eth3, and as its value the name on fw2',
  ],
  [
    6,
    '  fw2: { id: 2, sync: 10.99.0.2, devices: { eth1: eth2 } }',
    '6:51: nodes.fw2.devices.eth1: eth2 would be both eth1 and eth2 on fw2; give each interface a device of its own',
  ],
  [
    6,
    '  fw2: { id: 2, sync: 10.99.0.2, devices: { eth3: eth1 } }',
    '6:51: nodes.fw2.devices.eth3: eth1 would be both eth1 and eth3 on fw2; give each interface a device of its own',
  ],
  [
    6,
    '  fw2: { id: 2, sync: 10.99.0.2, devices: { eth1: "a/b" } }',
    `6:51: nodes.fw2.devices.eth1: "a/b" is no interface's name; ${DEVICE}`,
  ],
]);

check('sync', [
  [
    8,
    '  interface: eth1',
    '8:14: sync.interface: eth1 carries the shared addresses; use a link between the nodes of its own, or a VLAN on it',
  ],
  [
    8,
    '  interface: lo',
    `8:14: sync.interface: "lo" is not a network interface that has neighbours; ${DEVICE}`,
  ],
  [8, '  port: 3780', `7:1: sync.interface: is missing; ${DEVICE}`],
  [
    8,
    '  interface: eth3\n  mode: notrack',
    '9:9: sync.mode: "notrack" does not resend what gets lost, and only three nodes and more need it; use ftfw',
  ],
  [
    8,
    '  interface: eth3\n  mode: alarm',
    '9:9: sync.mode: "alarm" is not supported yet: it resends all states every few seconds instead of acknowledging them; use ftfw or notrack',
  ],
  [
    8,
    '  interface: eth3\n  multicast: 10.0.0.1',
    '9:14: sync.multicast: "10.0.0.1" is not an IPv4 multicast address; use a multicast address such as 225.0.0.50',
  ],
  [
    8,
    '  interface: eth3\n  multicast: 224.0.0.18',
    '9:14: sync.multicast: 224.0.0.18 belongs to routing protocols; use a multicast address such as 225.0.0.50',
  ],
  [8, '  interface: eth3\n  mode: ftwf', '9:9: sync.mode: "ftwf" is not known here; did you mean ftfw?'],

  [
    8,
    '  interface: eth3\n  replicas: caches',
    '9:13: sync.replicas: "caches" is not known here; did you mean cache?',
  ],
  ...['0', '65535', '-1', '3780.5', '"3780"'].map(
    (port): Row => [
      8,
      `  interface: eth3\n  port: ${port}`,
      `9:9: sync.port: ${port} is not a port with another one above it; use a whole number from 1 to 65534`,
    ],
  ),
  [
    8,
    '  interface: eth3\n  key: etc/key',
    '9:8: sync.key: "etc/key" is not an absolute path; use a path that begins with /',
  ],
]);

check('interfaces', [
  [11, '    side: left', '11:11: interfaces.eth1.side: "left" is not known here; use inside or outside'],
  [11, '    side: outside', '9:1: interfaces: has none with side: inside; add the interface on the inside'],
  [
    10,
    '  a-very-long-name1:',
    `6:45: nodes.fw2.devices.eth1: is no interface of this configuration; use a-very-long-name1, eth2 or eth3, and as its value the name on fw2`,
    `10:3: interfaces.a-very-long-name1: "a-very-long-name1" is longer than the 15 bytes that the kernel allows; ${DEVICE}`,
  ],
  [14, '  "eth 2":', `14:3: interfaces.eth 2: "eth 2" is no interface's name; ${DEVICE}`],
  [14, '  all:', `14:3: interfaces.all: "all" is not a network interface that has neighbours; ${DEVICE}`],
  [
    12,
    '    mac: 01-00-5e-00-01-01',
    `12:10: interfaces.eth1.mac: "01-00-5e-00-01-01" is not a MAC address; ${MAC}`,
  ],
  [
    12,
    '    mac: "02:00:5e:00:01:01"',
    `12:10: interfaces.eth1.mac: "02:00:5e:00:01:01" is not a multicast MAC (the low bit of its first byte is 0), so with delivery multicast a switch sends it to one node only; ${MAC}`,
  ],
  [
    12,
    '    mac: 01:00:5E:00:00:12',
    `12:10: interfaces.eth1.mac: "01:00:5E:00:00:12" is the MAC of VRRP, which keepalived uses; ${MAC}`,
  ],
  [
    12,
    '    mac: ff:ff:ff:ff:ff:ff',
    `12:10: interfaces.eth1.mac: "ff:ff:ff:ff:ff:ff" is the broadcast address, which every host listens to; ${MAC}`,
  ],
  [
    12,
    '    mac: 01:80:c2:00:00:0e',
    `12:10: interfaces.eth1.mac: "01:80:c2:00:00:0e" is one that no switch passes on (IEEE 802.1Q); ${MAC}`,
  ],
  [
    12,
    '    mac: 33:33:00:00:00:01',
    `12:10: interfaces.eth1.mac: "33:33:00:00:00:01" is one of IPv6 multicast (RFC 2464); ${MAC}`,
  ],
  [
    16,
    '    mac: "01:00:5e:00:01:01"',
    "16:10: interfaces.eth2.mac: 01:00:5e:00:01:01 is eth1's; give each interface its own",
  ],
  [
    12,
    '    mac: "01:00:5e:00:01:01"\n    delivery: unicast',
    '13:15: interfaces.eth1.delivery: "unicast" is not known here; did you mean stealth?',
  ],
]);

check('addresses', [
  [13, '    addresses: [192.168.0.5/0]', `13:17: interfaces.eth1.addresses[0]: "192.168.0.5/0" ${ADDRESS}`],
  [
    13,
    '    addresses: [192.168.0.5]',
    '13:17: interfaces.eth1.addresses[0]: "192.168.0.5" has no prefix length; use 192.168.0.5/24 if its network is that large',
  ],
  [13, '    addresses: [192.168.0.5/33]', `13:17: interfaces.eth1.addresses[0]: "192.168.0.5/33" ${ADDRESS}`],
  [
    13,
    '    addresses: [192.168.0.0/24]',
    '13:17: interfaces.eth1.addresses[0]: 192.168.0.0/24 is the network itself; use the address of a host in it',
  ],
  [
    13,
    '    addresses: [192.168.0.255/24]',
    "13:17: interfaces.eth1.addresses[0]: 192.168.0.255/24 is the network's broadcast address; use the address of a host in it",
  ],
  [
    13,
    '    addresses: [127.0.0.1/8]',
    '13:17: interfaces.eth1.addresses[0]: 127.0.0.1/8 is not an address that a host can have; use the form 192.168.0.5/24 or "fd00:1::5/64"',
  ],
  [
    13,
    '    addresses: [192.168.0.5/32]',
    '13:17: interfaces.eth1.addresses[0]: 192.168.0.5/32 says nothing about the network inside; use its real prefix length, or name the prefixes in networks',
  ],
  [
    13,
    '    addresses: [192.168.0.5/24, 192.168.0.5/24]',
    '13:33: interfaces.eth1.addresses[1]: 192.168.0.5 is there twice, first on eth1; keep one of them',
  ],
  // Its index stays that of the file when another one is wrong.
  [
    13,
    '    addresses: [x, 192.168.0.5/24, 192.168.0.5/24]',
    `13:17: interfaces.eth1.addresses[0]: "x" ${ADDRESS}`,
    '13:36: interfaces.eth1.addresses[2]: 192.168.0.5 is there twice, first on eth1; keep one of them',
  ],
  [
    17,
    '    addresses: [192.168.1.5/24, 192.168.0.5/30]',
    '17:33: interfaces.eth2.addresses[1]: 192.168.0.5 is there twice, first on eth1; keep one of them',
  ],
  [
    17,
    '    addresses: [192.168.1.5/16]',
    '17:17: interfaces.eth2.addresses[0]: 192.168.1.5/16 overlaps with 192.168.0.0/24 on eth1; use networks that have no address in common',
  ],
  [
    17,
    '    addresses: [192.168.1.5/24, 192.168.0.130/25]',
    '17:33: interfaces.eth2.addresses[1]: 192.168.0.130/25 overlaps with 192.168.0.0/24 on eth1; use networks that have no address in common',
  ],
]);

const INSIDE = '    addresses: [192.168.0.5/24]\n    networks:';

check('networks', [
  [
    13,
    `${INSIDE} [10.0.0.1/8, 192.168.0.0/24]`,
    '14:16: interfaces.eth1.networks[0]: 10.0.0.1/8 has bits set beyond its prefix; use 10.0.0.0/8',
  ],
  [
    13,
    `${INSIDE} [10.0.0.0]`,
    '14:16: interfaces.eth1.networks[0]: "10.0.0.0" is not an IPv4 or IPv6 prefix; use the form 192.168.0.0/24 or "fd00:1::/64"',
  ],
  [
    13,
    `${INSIDE} [0.0.0.0/0]`,
    '14:16: interfaces.eth1.networks[0]: 0.0.0.0/0 is every address, and the rest of the world has to be somewhere; name the prefixes behind this interface',
  ],
  [
    13,
    `${INSIDE} [10.0.0.0/8]`,
    '14:15: interfaces.eth1.networks: leaves out 192.168.0.0/24, where 192.168.0.5 is; add 192.168.0.0/24',
  ],
  [
    13,
    `${INSIDE} [10.1.0.0/16, 192.168.0.0/24, 10.0.0.0/8]`,
    '14:16: interfaces.eth1.networks[0]: 10.1.0.0/16 is within 10.0.0.0/8; leave it out',
  ],
  [
    13,
    `${INSIDE} [192.168.0.0/24, 192.168.0.0/24]`,
    '14:32: interfaces.eth1.networks[1]: 192.168.0.0/24 is within 192.168.0.0/24; leave it out',
  ],
  [
    13,
    `${INSIDE} [192.168.0.0/16]`,
    '14:16: interfaces.eth1.networks[0]: 192.168.0.0/16 overlaps with 192.168.1.0/24 on eth2: a flow between the two would have no side whose address is hashed; name only prefixes behind eth1',
  ],
  [
    18,
    '    networks: [10.0.0.0/8]',
    '18:15: interfaces.eth2.networks: leaves out 192.168.1.0/24, where 192.168.1.5 is; add 192.168.1.0/24',
  ],
]);

check('snat', [
  [
    13,
    '    addresses: [192.168.0.5/24]\n    snat: [192.168.0.5]',
    '14:5: interfaces.eth1.snat: is for the outside interface: flows are translated as they leave; move it there',
  ],
  [
    18,
    '    snat: 192.168.1.5',
    '18:11: interfaces.eth2.snat: "192.168.1.5" is not a list; use [192.168.1.5]',
  ],
  [
    18,
    '    snat: [192.168.1.9]',
    '18:12: interfaces.eth2.snat[0]: 192.168.1.9 is in 192.168.1.0/24 but not among the addresses of eth2, so nobody would answer ARP for it; add 192.168.1.9/24 to addresses, or use 192.168.1.5',
  ],
  [
    18,
    '    snat: [192.168.0.9]',
    '18:12: interfaces.eth2.snat[0]: 192.168.0.9 is inside, behind eth1; use 192.168.1.5',
  ],
  [
    18,
    '    snat: [10.99.0.1]',
    '18:12: interfaces.eth2.snat[0]: 10.99.0.1 is the sync address of fw1; use 192.168.1.5',
  ],
]);

const NEIGHBOUR = 'use the address of a host that is always there, such as a router, in';

check('probe', [
  [
    13,
    '    addresses: [192.168.0.5/24]\n    probe: 192.168.0.5',
    `14:12: interfaces.eth1.probe: 192.168.0.5 is an address that the nodes share, so each would ask itself; ${NEIGHBOUR} 192.168.0.0/24`,
  ],
  [
    18,
    '    snat: [192.168.1.5]\n    probe: 192.168.0.5',
    `19:12: interfaces.eth2.probe: 192.168.0.5 is an address that the nodes share, so each would ask itself; ${NEIGHBOUR} 192.168.1.0/24`,
  ],
  [
    18,
    '    snat: [203.0.113.7]\n    probe: 203.0.113.7',
    `19:12: interfaces.eth2.probe: 203.0.113.7 is an address that the nodes share, so each would ask itself; ${NEIGHBOUR} 192.168.1.0/24`,
  ],
  [
    13,
    '    addresses: [192.168.0.5/24, 10.0.0.5/16]\n    probe: 192.168.1.1',
    `14:12: interfaces.eth1.probe: 192.168.1.1 is in none of the networks of eth1; ${NEIGHBOUR} 192.168.0.0/24 or 10.0.0.0/16`,
  ],
  [
    13,
    '    addresses: [192.168.0.5/24]\n    probe: 192.168.0.0',
    `14:12: interfaces.eth1.probe: 192.168.0.0 is the network itself; ${NEIGHBOUR} 192.168.0.0/24`,
  ],
  [
    13,
    '    addresses: [192.168.0.5/24]\n    probe: 192.168.0.255',
    `14:12: interfaces.eth1.probe: 192.168.0.255 is the network's broadcast address; ${NEIGHBOUR} 192.168.0.0/24`,
  ],
  [
    17,
    '    addresses: [192.168.1.5/32]\n    probe: 192.168.1.1',
    '18:12: interfaces.eth2.probe: 192.168.1.1 is in none of the networks of eth2; leave it out: there is no neighbour in a /32',
  ],
  [
    13,
    '    addresses: [192.168.0.5/24]\n    probe: gw',
    '14:12: interfaces.eth1.probe: "gw" is not an IPv4 address; use an IPv4 address such as 192.168.1.5',
  ],
  [
    13,
    '    addresses: [192.168.0.5/24]\n    probe:',
    '14:11: interfaces.eth1.probe: is empty; use an IPv4 address such as 192.168.1.5',
  ],
  // Which networks there are isn't known when an address is wrong.
  [
    13,
    '    addresses: [192.168.0.5/24, 10.0.0.5]\n    probe: 10.0.0.1',
    '13:33: interfaces.eth1.addresses[1]: "10.0.0.5" has no prefix length; use 10.0.0.5/24 if its network is that large',
  ],
]);

check('firewall, manager and keepalived', [
  [
    1,
    'cluster: edge\nfirewall: nftable',
    '2:11: firewall: "nftable" is not known here; did you mean nftables?',
  ],
  [
    1,
    'cluster: edge\nmanager: corosync',
    '2:10: manager: "corosync" is not known here; use keepalived, pacemaker or none',
  ],
  [
    1,
    'cluster: edge\nmanager: keepalive',
    '2:10: manager: "keepalive" is not known here; did you mean keepalived?',
  ],
  [
    20,
    '  interface: eth9',
    '20:14: keepalived.interface: eth9 is no interface of this configuration; use eth1, eth2 or eth3',
  ],
  [
    20,
    '  vrid: 50\npacemaker: { linger: 0 }',
    '21:22: pacemaker.linger: must be longer than zero; use a number with ms, s, m or h, such as 2s or 500ms',
  ],
  [20, '  vrid: 255', '20:9: keepalived.vrid: 255 leaves no VRID for each of the 2 groups; use at most 254'],
  [20, '  vrid: 256', '20:9: keepalived.vrid: 256 is not a VRID; use a whole number from 1 to 255'],
  [
    20,
    '  advert: 0.001',
    '20:11: keepalived.advert: 0.001 is not an advertisement interval; use seconds from 0.01 to 40.95, such as 0.1',
  ],
  [
    20,
    '  advert: 0.125',
    '20:11: keepalived.advert: 0.125 is finer than the hundredth of a second that VRRP knows; use 0.13',
  ],
  [
    20,
    '  advert: 100ms',
    '20:11: keepalived.advert: "100ms" is not an advertisement interval; use seconds from 0.01 to 40.95, such as 0.1',
  ],
]);

const TIME = 'use a number with ms, s, m or h, such as 2s or 500ms';

check('log, timeouts and paths', [
  [
    1,
    'cluster: edge\nlog: { level: loud }',
    '2:15: log.level: "loud" is not known here; use debug, info, warn or error',
  ],
  [1, 'cluster: edge\ntimeouts: { peer: 2 }', '2:19: timeouts.peer: 2 has no unit; use 2s or 2ms'],
  [
    1,
    'cluster: edge\ntimeouts: { peer: 2 days }',
    `2:19: timeouts.peer: "2 days" is not a time in whole milliseconds; ${TIME}`,
  ],
  [
    1,
    'cluster: edge\ntimeouts: { peer: -2s }',
    `2:19: timeouts.peer: "-2s" is not a time in whole milliseconds; ${TIME}`,
  ],
  [
    1,
    'cluster: edge\ntimeouts: { peer: 0.5ms }',
    `2:19: timeouts.peer: "0.5ms" is not a time in whole milliseconds; ${TIME}`,
  ],
  [1, 'cluster: edge\ntimeouts: { peer: 0s }', `2:19: timeouts.peer: must be longer than zero; ${TIME}`],
  [1, 'cluster: edge\ntimeouts: { peer: 25h }', '2:19: timeouts.peer: "25h" is too long; use at most 24h'],
  ...['1ms', '14999ms'].map(
    (lease): Row => [
      1,
      `cluster: edge\ntimeouts: { lease: ${lease} }`,
      `2:20: timeouts.lease: "${lease}" could end while keepalived's check serves in place of an agent: it renews every 10 s; use at least 15s, or 0 for buckets that stay owned without an agent`,
    ],
  ),
  [1, 'cluster: edge\ntimeouts: { lease: 30 }', '2:20: timeouts.lease: 30 has no unit; use 30s or 30ms'],
  [
    1,
    'cluster: edge\ntimeouts: { lease: off }',
    `2:20: timeouts.lease: "off" is not a time in whole milliseconds; ${TIME}`,
  ],
  [
    1,
    'cluster: edge\npaths: { run: run }',
    '2:15: paths.run: "run" is not an absolute path; use a path that begins with /',
  ],
  [
    1,
    'cluster: edge\npaths: { run: "/a b" }',
    `2:15: paths.run: "/a b" holds what conntrackd and keepalived can't read in a path; use letters, digits and . _ - @ + /`,
  ],
  [
    1,
    `cluster: edge\npaths: { conntrackd: /${'x'.repeat(107)} }`,
    '2:22: paths.conntrackd: is 108 bytes long; use at most 107',
  ],
]);

test('a mistake in what an alias stands for has the place of the anchor', () => {
  const text = changed(5, '  fw1: { id: 1, sync: 10.99.0.1, devices: &d { eth1: a/b } }').replace(
    'devices: { eth1: enp3s0 }',
    'devices: *d',
  );
  expect(complaints(text)).toEqual([
    `c.yaml:5:54: nodes.fw1.devices.eth1: "a/b" is no interface's name; ${DEVICE}`,
    `c.yaml:5:54: nodes.fw2.devices.eth1: "a/b" is no interface's name; ${DEVICE}`,
  ]);
});

test('an empty file', () => {
  const expected = ['c.yaml:1:1: is empty; use keys such as cluster, nodes, sync, interfaces'];
  expect(complaints('')).toEqual(expected);
  expect(complaints('# nothing yet\n')).toEqual(expected);
});

test('a file of something else', () => {
  expect(complaints('hello')).toEqual([
    'c.yaml:1:1: "hello" is not a map; use keys such as cluster, nodes, sync, interfaces',
  ]);
});

test('all mistakes come at once, in the order of the file, and as data too', () => {
  const text = changed(3, 'buckets: 3')
    .replace('id: 2', 'id: 1')
    .replace('fw1:', 'fw_1:')
    .replace('"01:00:5e:00:01:02"', '"00:00:5e:00:01:02"')
    .replace('vrid', 'vird');
  expect(complaints(text).map((line) => line.split(': ')[1])).toEqual([
    'buckets',
    'nodes.fw_1',
    'nodes.fw2.id',
    'interfaces.eth2.mac',
    'keepalived.vird',
  ]);
  expect(() => parseConfig(text, '/etc/c.yaml')).toThrow(
    expect.objectContaining({
      mistakes: expect.arrayContaining([
        {
          file: '/etc/c.yaml',
          line: 3,
          column: 10,
          path: 'buckets',
          problem: '3 is not a power of two',
          mend: 'use 2 or 4',
        },
      ]),
    }),
  );
});

test('a mistake is one line, whatever it quotes', () => {
  expect(complaints(changed(1, 'cluster: "a\\nb\\u2028c"'))).toEqual([
    `c.yaml:1:10: cluster: "a\\nb c" is no host name; ${LABEL}`,
  ]);
});

test('three nodes refuse the mode that follows one sender', () => {
  const text = changed(6, '  fw2: { id: 2, sync: 10.99.0.2 }\n  fw3: { id: 3, sync: 10.99.0.3 }');
  expect(complaints(text.replace('  interface: eth3', '  interface: eth3\n  mode: ftfw'))).toEqual([
    'c.yaml:10:9: sync.mode: "ftfw" follows the sequence of one sender and drops what 2 peers send; use notrack',
  ]);
  expect(complaints(text.replace('vrid: 50', 'vrid: 251'))).toEqual([
    'c.yaml:21:9: keepalived.vrid: 251 leaves no VRID for each of the 6 groups; use at most 250',
  ]);
  expect(parseConfig(text, 'c.yaml').sync.mode).toBe('notrack');
  expect(parseConfig(SAMPLE, 'c.yaml').sync.mode).toBe('ftfw');
});
