import type { ClusterConfig, InterfaceConfig, PublishedService } from '../../../src/config/types.ts';
import { clusterConfig } from '../../kernel/dataplane/cluster-config.ts';
import { addressOf, ECHO, type Family, SERVER, SHARED, SIDES, type Side } from './crossing.ts';

export type Delivery = InterfaceConfig['delivery'];

/** What is published on the WAN's shared address: the DMZ's echo, and a port where nobody listens. */
export const PUBLISHED = { echo: 700, closed: 701 } as const;

/** LAN and DMZ inside, WAN outside, both families. */
export const crossingConfig = ({
  delivery = 'multicast',
  snat = false,
  publish = true,
  // CROSSING_PREFILTER=1 npm test crossing: all that goes through without it must go through with it.
  prefilter = process.env['CROSSING_PREFILTER'] === '1',
}: {
  readonly delivery?: Delivery;
  readonly snat?: boolean;
  readonly publish?: boolean;
  readonly prefilter?: boolean;
} = {}): ClusterConfig => ({
  ...clusterConfig({ snat: false }),
  prefilter,
  interfaces: [
    leg('lan', 'inside', delivery),
    leg('dmz', 'inside', delivery),
    {
      ...leg('wan', 'outside', delivery),
      snat: snat ? [addressOf('wan', 'ip', SHARED), addressOf('wan', 'ip6', SHARED)] : [],
    },
  ],
  publish: publish
    ? (['ip', 'ip6'] as const).flatMap((family) => [
        ...published('echo', family, ECHO),
        ...published('closed', family, ECHO + 1),
      ])
    : [],
});

/** The MAC that the firewalls share on a side. */
export const macOf = (side: Side['name'], delivery: Delivery): string =>
  `${delivery === 'stealth' ? '02' : '01'}:00:5e:00:01:0${SIDES[side].device.at(-1)}`;

const leg = (name: Side['name'], side: InterfaceConfig['side'], delivery: Delivery): InterfaceConfig => ({
  name: SIDES[name].device,
  side,
  mac: macOf(name, delivery),
  addresses: [
    { address: addressOf(name, 'ip', SHARED), prefix: 24 },
    { address: addressOf(name, 'ip6', SHARED), prefix: 64 },
  ],
  delivery,
  snat: [],
  networks: side === 'inside' ? [`${SIDES[name].prefix.ip}.0/24`, `${SIDES[name].prefix.ip6}:/64`] : [],
  probe: undefined,
});

const published = (
  name: keyof typeof PUBLISHED,
  family: Family,
  toPort: number,
): readonly PublishedService[] =>
  (['tcp', 'udp'] as const).map((protocol) => ({
    name: `${name}-${protocol}-${family}`,
    protocol,
    address: addressOf('wan', family, SHARED),
    ports: { first: PUBLISHED[name], last: PUBLISHED[name] },
    to: addressOf('dmz', family, SERVER),
    toPorts: { first: toPort, last: toPort },
  }));
