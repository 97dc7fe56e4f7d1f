import {
  type Address,
  type Family,
  familyOfText,
  inNetworks,
  isConfined,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../cluster/address.ts';
import type { LocalAddress } from '../../kernel/links.ts';
import type { Judgement } from './judgement.ts';
import { type LegNeeds, type Needs, networkText, type SharedAddress } from './needs.ts';
import { holds, isUp, isWithoutIpv6, type Seen } from './seen.ts';
import { deviceSetting, setting } from './setting.ts';

const FAMILIES: readonly Family[] = [4, 6];

/** The addresses on the legs that are this node's alone: not shared, and not link-local. */
export const ownOnLegs = (
  { legs, shared }: Pick<Needs, 'legs' | 'shared'>,
  addresses: readonly LocalAddress[],
): readonly LocalAddress[] =>
  addresses.filter(
    ({ device, address }) =>
      legs.some((leg) => leg.device === device) && !shared.has(address) && !isConfined(parseAddress(address)),
  );

/**
 * Whether the node has addresses of its own beside the shared ones, for without them its own connections have a shared one as
 * source, and their answers go to whichever node the hash says.
 *
 * @param own those that there are
 * @param earlier those that there were at the look before, as `remembered` keeps them
 */
export const judgeOwnAddresses = (
  legs: readonly LegNeeds[],
  seen: Seen,
  own: readonly LocalAddress[],
  earlier: readonly LocalAddress[],
): readonly Judgement[] =>
  legs.flatMap((leg) =>
    FAMILIES.flatMap((family) => {
      const shared = leg.shared.filter(({ subnet }) => subnet.family === family);
      if (shared.length === 0 || !isUp(seen, leg.device) || (family === 6 && isWithoutIpv6(seen, leg))) {
        return [];
      }
      const here = ofLeg(own, leg, family);
      const before = ofLeg(earlier, leg, family).filter(
        (one) => isMissed(one, leg, here) || isKept(one, leg, here),
      );
      const gone = before.filter((one) => isMissed(one, leg, here));
      return [
        ...before.map((one) => judgedEarlier(one, leg, gone.includes(one), shared, seen)),
        ...(here.length === 0 && gone.length > 0 ? [] : [judgedNone(leg, family, shared, here.length === 0)]),
      ];
    }),
  );

/** What to keep in mind until the next look: those that there are, and those that are missed. */
export const remembered = (
  legs: readonly LegNeeds[],
  own: readonly LocalAddress[],
  earlier: readonly LocalAddress[],
): readonly LocalAddress[] => [
  ...own,
  ...legs.flatMap((leg) =>
    FAMILIES.flatMap((family) => {
      const here = ofLeg(own, leg, family);
      return ofLeg(earlier, leg, family).filter((one) => isMissed(one, leg, here));
    }),
  ),
];

const ofLeg = (addresses: readonly LocalAddress[], { device }: LegNeeds, family: Family) =>
  addresses.filter((one) => one.device === device && familyOfText(one.address) === family);

/** Whether nothing is in its place. One of a network that is none of the cluster's is missed only while there is no other at all. */
const isMissed = (one: LocalAddress, leg: LegNeeds, here: readonly LocalAddress[]): boolean =>
  !isKept(one, leg, here) && (here.length === 0 || networksWith(parseAddress(one.address), leg).length > 0);

/** Whether it is there, or another one of its subnet or of the cluster's network that it was in. */
const isKept = (one: LocalAddress, leg: LegNeeds, here: readonly LocalAddress[]): boolean => {
  if (here.some(({ address }) => address === one.address)) return true;
  const address = parseAddress(one.address);
  const networks = networksWith(address, leg);
  return here.some((other) => holds(other, address) || inNetworks(parseAddress(other.address), networks));
};

const networksWith = (address: Address, { shared, prefixes }: LegNeeds): readonly Network[] =>
  [...shared.map(({ subnet }) => subnet), ...prefixes.map(({ network }) => network)].filter((network) =>
    inNetworks(address, [network]),
  );

const judgedEarlier = (
  one: LocalAddress,
  { device }: LegNeeds,
  gone: boolean,
  shared: readonly SharedAddress[],
  seen: Seen,
): Judgement => {
  const text = `${one.address}/${one.prefix}`;
  const near = shared.find(({ subnet }) => inNetworks(parseAddress(one.address), [subnet])) ?? shared[0];
  const keep = keepSetting(device);
  const dropped = familyOfText(one.address) === 6 && !isKeptWhenDown(seen, device);
  const reason = dropped ? ` (the kernel drops IPv6 addresses with the link while ${keep} is 0)` : '';
  const advice = dropped ? `, and have it kept with ${setting(keep, 1)}` : '';
  return {
    code: 'own-address-gone',
    object: `${device} ${text}`,
    problem: gone
      ? `${text} is gone from ${device}${reason}: ${consequence(near)}; add it with "ip address add ${text} dev ${device}"${advice}`
      : undefined,
    again: `${device} has an address of its own in ${networkText(parseNetwork(text))} again`,
  };
};

const judgedNone = (
  { device }: LegNeeds,
  family: Family,
  shared: readonly SharedAddress[],
  missing: boolean,
): Judgement => ({
  code: 'own-address',
  object: `${device} IPv${family}`,
  problem: missing
    ? `${device} has no IPv${family} address of its own: ${consequence(shared[0])}; add one with "ip address add ADDRESS/${shared[0]?.subnet.prefix} dev ${device}"`
    : undefined,
  again: `${device} has an IPv${family} address of its own again`,
});

const consequence = (shared: SharedAddress | undefined): string =>
  `this node's own connections there come from the shared ${shared?.address}, and the answers to many of them go to another node`;

/** One of the two is enough: addrconf_ifdown() in net/ipv6/addrconf.c. */
const isKeptWhenDown = ({ settings }: Seen, device: string): boolean =>
  ['all', device].some((one) => Number(settings.get(keepSetting(one)) ?? 0) > 0);

export const keepSetting = (device: string): string => deviceSetting(6, device, 'keep_addr_on_down');
