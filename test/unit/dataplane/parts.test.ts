import { describe, expect, it } from 'vitest';
import { isFound, misplacedAddresses, missingParts } from '../../../src/dataplane/missing.ts';
import { isOnDevice, type Part, partsOf, partText } from '../../../src/dataplane/parts.ts';
import { planOf } from '../../../src/dataplane/plan.ts';
import type { Seen } from '../../../src/dataplane/seen.ts';
import { clusterConfig, nodeNamed } from '../../kernel/dataplane/cluster-config.ts';

const config = clusterConfig({ snat: true });
const [inside, outside] = config.interfaces;
if (inside === undefined || outside === undefined) throw new Error('a cluster without interfaces');
const dual = {
  ...config,
  interfaces: [
    { ...inside, addresses: [...inside.addresses, { address: 'fd00:1::5', prefix: 64 }] },
    { ...outside, delivery: 'igmp' as const, addresses: [{ address: '192.168.1.5', prefix: 32 }] },
  ],
};
const PARTS = partsOf(planOf(dual, nodeNamed(dual, 'fw1')));

const address = (device: string, text: string, deprecated = false) => {
  const [host = '', prefix] = text.split('/');
  return { device, address: host, prefix: Number(prefix), deprecated };
};

const OWN = address('eth1', '192.168.0.241/24');

/** A machine on which all is as it should be, but for `change`. */
const seen = (change: Partial<Seen> = {}): Seen => ({
  links: ['eth1', 'eth2'].map((name, index) => ({
    ...{ name, index: index + 1, mac: '02:00:00:00:00:01', up: true, carrier: true, master: 0 },
  })),
  addresses: [
    OWN,
    address('eth1', '192.168.0.5/32'),
    address('eth1', 'fd00:1::5/64', true),
    address('eth2', '239.0.1.2/32'),
    address('eth2', '192.168.1.5/32'),
  ],
  received: new Map([
    [1, new Set([inside.mac])],
    [2, new Set([outside.mac])],
  ]),
  settings: new Map(
    PARTS.flatMap((part) => (part.kind === 'setting' ? [[part.name, part.value] as const] : [])),
  ),
  ways: new Map([['192.168.0.0/24', { kind: 'out', index: 1 }]]),
  ...change,
});

const texts = (parts: readonly Part[]): readonly string[] =>
  parts.map((part) => `${isOnDevice(part) ? `${part.device} ` : ''}${partText(part)}`);

describe('the list of what start puts into the kernel', () => {
  it('has MACs before addresses, IPv4 ones without a subnet, and the way to that', () => {
    expect(texts(PARTS).slice(3)).toEqual([
      'eth1 MAC 01:00:5e:00:01:01',
      'eth2 MAC 01:00:5e:00:01:02',
      'eth1 address 192.168.0.5/32',
      'eth1 address fd00:1::5/64',
      'eth2 address 239.0.1.2/32',
      'eth2 address 192.168.1.5/32',
      'eth1 route to 192.168.0.0/24',
    ]);
    expect(PARTS).toContainEqual(expect.objectContaining({ broadcast: '192.168.0.255' }));
  });

  it('is missing nothing on a machine that is whole', () => {
    expect(missingParts(PARTS, seen())).toEqual([]);
  });

  it.each<readonly [string, Partial<Seen>, readonly string[]]>([
    [
      'a MAC',
      { received: new Map([[1, new Set(['01:00:5e:00:01:02'])]]) },
      ['eth1 MAC 01:00:5e:00:01:01', 'eth2 MAC 01:00:5e:00:01:02'],
    ],
    [
      'a setting',
      { settings: new Map([...seen().settings, ['net.netfilter.nf_conntrack_tcp_loose', '1']]) },
      ['net.netfilter.nf_conntrack_tcp_loose=0'],
    ],
    [
      'an address with another prefix',
      {
        addresses: [
          ...seen().addresses.filter((one) => one.address !== '192.168.0.5'),
          address('eth1', '192.168.0.5/24'),
        ],
      },
      ['eth1 address 192.168.0.5/32'],
    ],
    [
      'one of IPv6 that is not deprecated',
      {
        addresses: seen().addresses.map((one) =>
          one.address.includes(':') ? { ...one, deprecated: false } : one,
        ),
      },
      ['eth1 address fd00:1::5/64'],
    ],
    [
      'a way',
      { ways: new Map([['192.168.0.0/24', { kind: 'out', index: 2 }]]) },
      ['eth1 route to 192.168.0.0/24'],
    ],
  ])('sees %s', (_, change, missing) => {
    expect(texts(missingParts(PARTS, seen(change)))).toEqual(missing);
  });

  it('asks for nothing on an interface that is not there, nor for what needs it up', () => {
    const [eth1, eth2] = seen().links;
    if (eth1 === undefined || eth2 === undefined) throw new Error('both are there');
    const bare = { addresses: [], received: new Map(), ways: new Map() };
    expect(texts(missingParts(PARTS, seen({ ...bare, links: [eth2] })))).toEqual([
      'eth2 MAC 01:00:5e:00:01:02',
      'eth2 address 239.0.1.2/32',
      'eth2 address 192.168.1.5/32',
    ]);
    expect(texts(missingParts(PARTS, seen({ ...bare, links: [{ ...eth1, up: false }] })))).toEqual([
      'eth1 MAC 01:00:5e:00:01:01',
      'eth1 address 192.168.0.5/32',
    ]);
  });

  it('finds what was there before, right or not, but for routes', () => {
    const wrong = seen({ addresses: [address('eth1', 'fd00:1::5/64')] });
    const there = PARTS.filter(isOnDevice).filter((part) => isFound(part, wrong));
    expect(texts(there)).toEqual([
      'eth1 MAC 01:00:5e:00:01:01',
      'eth2 MAC 01:00:5e:00:01:02',
      'eth1 address fd00:1::5/64',
    ]);
  });
});

describe('shared IPv4 addresses', () => {
  const [own, shared] = seen().addresses;
  if (own === undefined || shared === undefined) throw new Error('both are there');

  it.each<readonly [string, Seen['addresses'], readonly string[]]>([
    ['behind the own one', [own, shared], []],
    ['before it', [shared, own], ['eth1 address 192.168.0.5/32']],
    ['without one', [shared], []],
    ['before one of another interface', [shared, { ...own, device: 'eth2' }], []],
    ['before one of IPv6 only', [shared, address('eth1', 'fd00:1::241/64')], []],
  ])('%s', (_, addresses, misplaced) => {
    const machine = seen({ addresses });
    expect(texts(misplacedAddresses(PARTS, machine))).toEqual(misplaced);
    expect(texts(missingParts(PARTS, machine))).toEqual(expect.arrayContaining([...misplaced]));
  });
});
