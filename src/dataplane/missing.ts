import type { Link, LocalAddress } from '../kernel/links.ts';
import { familyOf } from './family.ts';
import { type DevicePart, isDeprecated, isOnDevice, type Part, type SharedAddress } from './parts.ts';
import type { Seen } from './seen.ts';

/** What of `parts` isn't as it should be, and can be mended now: nothing of an interface that isn't there, or not up yet where that matters. Pure. */
export const missingParts = (parts: readonly Part[], seen: Seen): readonly Part[] => {
  const misplaced: readonly Part[] = misplacedAddresses(parts, seen);
  return parts.filter((part) => isPuttable(part, seen) && (!isThere(part, seen) || misplaced.includes(part)));
};

/**
 * The shared IPv4 addresses that come before the interface's own ones: all of them have to be taken off and put again. keepalived
 * takes an interface's first address as the source of its advertisements, and when that goes the next one, for good
 * (netlink_if_address_filter() in its keepalived_netlink.c); a peer drops what comes from an address that it has itself. Pure.
 */
export const misplacedAddresses = (parts: readonly Part[], { addresses }: Seen): readonly SharedAddress[] => {
  const shared = parts.filter((part) => part.kind === 'address');
  const isOf = (part: SharedAddress, one: LocalAddress): boolean =>
    part.device === one.device && part.address === `${one.address}/${one.prefix}`;
  return shared.filter((part) => {
    if (familyOf(part.address) === 'ip6') return false;
    const there = addresses.filter(
      ({ device, address }) => device === part.device && familyOf(address) === 'ip',
    );
    const place = there.findIndex((one) => isOf(part, one));
    const own = there.findIndex((one) => !shared.some((other) => isOf(other, one)));
    return place !== -1 && place < own;
  });
};

/** Whether it is as it should be, but for its place among others. */
export const isThere = (part: Part, seen: Seen): boolean => {
  if (!isOnDevice(part)) return seen.settings.get(part.name) === part.value;
  const link = linkOf(part, seen);
  return link !== undefined && isOn(part, link, seen);
};

/** Whether it is there, right or not. Our routes are known by a number of their own: none was there before. */
export const isFound = (part: DevicePart, seen: Seen): boolean => {
  const link = linkOf(part, seen);
  if (link === undefined || part.kind === 'way') return false;
  return part.kind === 'group' ? isOn(part, link, seen) : found(part, seen) !== undefined;
};

const isOn = (part: DevicePart, { index }: Link, seen: Seen): boolean => {
  switch (part.kind) {
    case 'group':
      return seen.received.get(index)?.has(part.mac) === true;
    case 'address':
      return found(part, seen)?.deprecated === isDeprecated(part);
    case 'way': {
      const way = seen.ways.get(part.network);
      return way?.kind === 'out' && way.index === index;
    }
  }
};

const found = ({ device: on, address: text }: SharedAddress, { addresses }: Seen): LocalAddress | undefined =>
  addresses.find(({ device, address, prefix }) => device === on && `${address}/${prefix}` === text);

/** The kernel takes IPv6 addresses and routes away with a link that goes down, and takes no route while it is. */
const isPuttable = (part: Part, seen: Seen): boolean => {
  if (!isOnDevice(part)) return true;
  const link = linkOf(part, seen);
  const needsUp = part.kind === 'way' || (part.kind === 'address' && isDeprecated(part));
  return link !== undefined && (link.up || !needsUp);
};

const linkOf = (part: DevicePart, { links }: Seen): Link | undefined =>
  links.find(({ name }) => name === part.device);
