/** Addresses and names of the lab's network. Everything is inside namespaces, so nothing clashes with the host. */

/** What every lab has. */
export const SIDES = ['inside', 'outside', 'sync'] as const;

export type CoreSide = (typeof SIDES)[number];

/** `dmz`: a third leg of the firewalls, for those labs that ask for it. */
export type Side = CoreSide | 'dmz';

/** Where flows are. */
export type DataSide = Exclude<Side, 'sync'>;

/** What a lab has more than clients, a server and IPv4. */
export interface NetworkOptions {
  /** Every host, and every side but the nodes' own link, has IPv6 addresses as well. */
  readonly ip6?: boolean;
  /** A server behind a third leg, and a client outside. */
  readonly dmz?: boolean;
}

/** Addresses that all firewalls answer to. */
export const SHARED = {
  inside: '192.168.0.5',
  outside: '192.168.1.5',
  dmz: '192.168.2.5',
  prefix: 24,
} as const;
export const SHARED6 = { inside: 'fd00:1::5', outside: 'fd00:9::5', dmz: 'fd00:2::5', prefix: 64 } as const;

/** Link-layer groups of the shared addresses, as in the example configuration. */
export const SHARED_MAC = {
  inside: '01:00:5e:00:01:01',
  outside: '01:00:5e:00:01:02',
  dmz: '01:00:5e:00:01:04',
} as const;

export const SERVER = '192.168.1.2';
export const SERVER6 = 'fd00:9::2';
export const DMZ_SERVER = '192.168.2.80';
export const DMZ_SERVER6 = 'fd00:2::80';

/** Seed of the hash. */
export const SEED = 0xdeadbeef;

export interface NodePlan {
  readonly name: string;
  readonly id: number;
  readonly links: Readonly<Record<Side, LinkPlan>>;
}

export interface LinkPlan {
  readonly device: string;
  /** With prefix length. */
  readonly address: string;
  /** With prefix length; for labs with IPv6. */
  readonly address6: string | undefined;
  readonly mac: string;
}

/** The firewall with the given id, from 1 to 9: eth1 inside, eth2 outside, eth3 sync, eth4 the DMZ. */
export const planNode = (id: number): NodePlan => {
  const link = (number: number, address: string, address6?: string): LinkPlan => ({
    device: `eth${number}`,
    address: `${address}/24`,
    address6: address6 === undefined ? undefined : `${address6}/64`,
    mac: `02:00:00:00:0${id}:0${number}`,
  });
  return {
    name: `fw${id}`,
    id,
    links: {
      inside: link(1, `192.168.0.${240 + id}`, `fd00:1::${240 + id}`),
      outside: link(2, `192.168.1.${240 + id}`, `fd00:9::${240 + id}`),
      dmz: link(4, `192.168.2.${240 + id}`, `fd00:2::${240 + id}`),
      sync: link(3, `10.99.0.${id}`),
    },
  };
};

export interface ClientPlan {
  readonly name: string;
  /** The first one is the default source; eight in all, so that there are some in every group. */
  readonly addresses: readonly string[];
  /** For labs with IPv6, as many. */
  readonly addresses6: readonly string[];
  readonly mac: string;
}

/** Hosts of 192.168.0.0/24. With two firewalls and 64 buckets, c1's first address is fw1's and c2's is fw2's. */
const CLIENT_HOSTS: readonly (readonly number[])[] = [
  [20, 2, 23, 21, 22, 24, 25, 26],
  [11, 33, 30, 35, 31, 32, 34, 36],
];

/** The client with the given number, 1 or 2. */
export const planClient = (number: number): ClientPlan => {
  const hosts = CLIENT_HOSTS[number - 1];
  if (hosts === undefined) {
    throw new RangeError(`expected a client's number from 1 to ${CLIENT_HOSTS.length}, got ${number}`);
  }
  return {
    name: `c${number}`,
    addresses: hosts.map((host) => `192.168.0.${host}`),
    addresses6: hosts.map((host) => `fd00:1::${host}`),
    mac: `02:00:00:00:1${number}:01`,
  };
};

const OUTSIDER_HOSTS: readonly number[] = [60, 61, 62, 63, 64, 65, 66, 67];

/** The client outside, of labs with a DMZ. */
export const OUTSIDER: ClientPlan = {
  name: 'o1',
  addresses: OUTSIDER_HOSTS.map((host) => `192.168.1.${host}`),
  addresses6: OUTSIDER_HOSTS.map((host) => `fd00:9::${host}`),
  mac: '02:00:00:00:30:01',
};
