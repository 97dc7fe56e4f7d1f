import { needsOf } from '../../../../src/dataplane/surroundings/needs.ts';
import { destinationsOf } from '../../../../src/dataplane/surroundings/routes.ts';
import type { Seen } from '../../../../src/dataplane/surroundings/seen.ts';
import type { Route } from '../../../../src/kernel/routes.ts';
import { clusterConfig } from '../../../support/cluster-config.ts';

const base = clusterConfig();

/** A cluster of both families: behind eth1 10.0.0.0/8 too, outside nothing that is named. */
export const CONFIG = clusterConfig({
  interfaces: base.interfaces.map((one) =>
    one.name === 'eth1'
      ? {
          ...one,
          addresses: [...one.addresses, { address: 'fd00:1::5', prefix: 64 }],
          networks: [...one.networks, '10.0.0.0/8', 'fd00:1::/64'],
        }
      : { ...one, addresses: [...one.addresses, { address: 'fd00:9::5', prefix: 64 }] },
  ),
});

export const [NODE = { name: '', id: 0, sync: '', devices: {} }] = CONFIG.nodes;

export const NEEDS = needsOf(CONFIG, NODE);

const DEVICES = ['lo', 'eth1', 'eth2', 'eth3'];

const ADDRESSES = [
  'eth1 192.168.0.241/24',
  'eth1 192.168.0.5/24',
  'eth1 fd00:1::241/64',
  'eth1 fd00:1::5/64',
  'eth1 fe80::1/64',
  'eth2 192.168.1.241/24',
  'eth2 192.168.1.5/24',
  'eth2 fd00:9::241/64',
  'eth2 fd00:9::5/64',
  'eth3 10.99.0.1/24',
];

const ROUTES: Readonly<Record<string, string | Exclude<Route['kind'], 'out'>>> = {
  '192.168.0.0/24': 'eth1',
  '10.0.0.0/8': 'eth1',
  'fd00:1::/64': 'eth1',
  '192.168.1.0/24': 'eth2',
  'fd00:9::/64': 'eth2',
};

export interface Broken {
  readonly without?: readonly string[];
  readonly more?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
  /** By prefix: the device that it leaves by, or a kind. */
  readonly routes?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, Partial<Seen['links'][number]> | undefined>>;
}

/** What is seen on a machine that has everything, or on one that hasn't. */
export const machine = ({
  without = [],
  more = [],
  settings = {},
  routes = {},
  links = {},
}: Broken = {}): Seen => {
  const found = {
    links: DEVICES.flatMap((name, index) => {
      const change = links[name];
      const gone = Object.hasOwn(links, name) && change === undefined;
      return gone ? [] : [{ name, index: index + 1, mac: '', up: true, carrier: true, master: 0, ...change }];
    }),
    addresses: [...ADDRESSES.filter((one) => !without.includes(one)), ...more].map((line) => {
      const [, device = '', address = '', prefix] = /^(\S+) (.+)\/(\d+)$/.exec(line) ?? [];
      return { device, address, prefix: Number(prefix), deprecated: false };
    }),
    settings: new Map([...healthy(), ...Object.entries(settings)]),
  };
  const asked = destinationsOf(NEEDS.legs, found).map(({ prefix }) => {
    return [prefix, routeOf(routes[prefix] ?? ROUTES[prefix] ?? 'none')] as const;
  });
  return { ...found, routes: new Map(asked) };
};

const routeOf = (text: string): Route => {
  switch (text) {
    case 'none':
    case 'local':
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      return { kind: text };
    default:
      return { kind: 'out', index: DEVICES.indexOf(text) + 1 };
  }
};

/** As Linux has them after a boot, with forwarding on. */
const healthy = (): readonly (readonly [string, string])[] => [
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv6.conf.all.forwarding', '1'],
  ['net.ipv4.conf.all.rp_filter', '0'],
  ['net.ipv6.conf.all.keep_addr_on_down', '0'],
  ...['eth1', 'eth2'].flatMap((device) => [
    [`net.ipv4.conf.${device}.forwarding`, '1'] as const,
    [`net.ipv4.conf.${device}.rp_filter`, '0'] as const,
    [`net.ipv6.conf.${device}.forwarding`, '1'] as const,
    [`net.ipv6.conf.${device}.disable_ipv6`, '0'] as const,
    [`net.ipv6.conf.${device}.keep_addr_on_down`, '0'] as const,
  ]),
];
