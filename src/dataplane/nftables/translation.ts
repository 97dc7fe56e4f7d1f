import { inNetworks, parseAddress, parseNetwork } from '../../cluster/address.ts';
import type { Share } from '../../cluster/ranges.ts';
import { FAMILIES_OF_IP, type Family, familyOf } from '../family.ts';
import type { Leg, Plan } from '../plan.ts';
import { chain, devices, hash, ICMP } from './expressions.ts';
import { isReflected } from './reflection.ts';
import { SERVERS, serversOf } from './servers.ts';

/**
 * What flows from inside are translated to as they leave, and those of clients to a published server behind their own leg: by bucket, the same as the packets are sorted by. A chain for
 * each bucket, since nft 1.0.6 takes a map from a hash to addresses and ports for IPv4 only. A chain of type nat sees the
 * first packet of a flow only, so what is dropped here never has one.
 */
export const translation = (plan: Plan): string => {
  const { legs } = plan;
  const inside = devices(legs.filter(({ side }) => side === 'inside').map(({ device }) => device));
  const translating = legs.filter(({ snat }) => snat.length > 0);
  const reflecting = legs.filter((leg) => mayReflect(plan, leg));
  if (translating.length + reflecting.length === 0) return '';
  return [
    ...legs.flatMap((leg) => [...leg.snat, ...leg.reflecting].map((share) => toShare(leg, share))),
    ...translating.map((leg) => chain(`translate_${leg.label}`, byBucket(plan, leg, leg.snat))),
    ...reflecting.map((leg) =>
      chain(`reflect_${leg.label}`, [
        ...byBucket(plan, leg, leg.reflecting),
        'counter drop comment "to a server behind the client\'s own interface, which shares no address of that family"',
      ]),
    ),
    chain('translate', [
      'type nat hook postrouting priority srcnat - 1; policy accept;',
      ...translating.map(
        ({ label, device }) => `iifname ${inside} oifname "${device}" goto translate_${label}`,
      ),
      ...reflecting.flatMap((leg) =>
        FAMILIES_OF_IP.flatMap((family) =>
          isReflected(plan, leg, family).map((match) => `${match} goto reflect_${leg.label}`),
        ),
      ),
    ]),
  ].join('');
};

/** Whether a server behind the leg is published on an address. */
const mayReflect = ({ services }: Plan, leg: Leg): boolean =>
  services.some(({ address, to }) => address !== undefined && isBehind(leg, to));

const isBehind = ({ networks }: Leg, address: string): boolean =>
  inNetworks(parseAddress(address), networks[familyOf(address)].map(parseNetwork));

const byBucket = (plan: Plan, leg: Leg, all: readonly Share[]): readonly string[] =>
  FAMILIES_OF_IP.flatMap((family) => {
    const shares = all.filter(({ address }) => familyOf(address) === family);
    if (shares.length === 0) return [];
    const verdicts = shares.map((share) => `${share.bucket} : goto ${chainOf(leg, share)}`).join(', ');
    const to = (field: string) => `${hash(plan, `ct original ${family} ${field}`)} vmap { ${verdicts} }`;
    return [
      ...(serversOf(plan, family).length === 0
        ? []
        : [`meta l4proto . ${family} saddr . th sport @${SERVERS}_${family} ${to('daddr')}`]),
      `${only(family)} meta l4proto { tcp, udp, ${ICMP[family]} } ${to('saddr')}`,
      `${only(family)} counter drop comment "a protocol without ports can't be translated by bucket"`,
    ];
  });

const toShare = (leg: Leg, share: Share): string => {
  const family = familyOf(share.address);
  const address = family === 'ip' ? share.address : `[${share.address}]`;
  const target = `snat ${family} to ${address}:${share.first}-${share.last}`;
  return chain(chainOf(leg, share), [
    `meta l4proto { tcp, udp } ${target}`,
    `meta l4proto ${ICMP[family]} ${target}`,
  ]);
};

const chainOf = ({ label }: Leg, { bucket, address }: Share): string =>
  `to_${label}_${familyOf(address)}_${bucket}`;

const only = (family: Family): string => `meta nfproto ${family === 'ip' ? 'ipv4' : 'ipv6'}`;
