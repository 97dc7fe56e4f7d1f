/** Addresses and names of the lab's network. Everything is inside namespaces, so nothing clashes with the host. */

export type Side = 'inside' | 'outside' | 'sync';

export const SIDES: readonly Side[] = ['inside', 'outside', 'sync'];

/** Addresses that all firewalls answer to. */
export const SHARED = { inside: '192.168.0.5', outside: '192.168.1.5', prefix: 24 } as const;

/** Link-layer groups of the shared addresses, as in the example configuration. */
export const SHARED_MAC = { inside: '01:00:5e:00:01:01', outside: '01:00:5e:00:01:02' } as const;

export const SERVER = '192.168.1.2';

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
  readonly mac: string;
}

/** The firewall with the given id, from 1 to 9: eth1 inside, eth2 outside, eth3 sync. */
export const planNode = (id: number): NodePlan => {
  const link = (number: number, address: string): LinkPlan => ({
    device: `eth${number}`,
    address: `${address}/24`,
    mac: `02:00:00:00:0${id}:0${number}`,
  });
  return {
    name: `fw${id}`,
    id,
    links: {
      inside: link(1, `192.168.0.${240 + id}`),
      outside: link(2, `192.168.1.${240 + id}`),
      sync: link(3, `10.99.0.${id}`),
    },
  };
};

export interface ClientPlan {
  readonly name: string;
  /** The first one is the default source; eight in all, so that there are some in every group. */
  readonly addresses: readonly string[];
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
    mac: `02:00:00:00:1${number}:01`,
  };
};
