import type { Link, LocalAddress } from '../kernel/links.ts';
import { type DevicePart, isDeprecated, isOnDevice, type Part, type SharedAddress } from './parts.ts';
import type { Seen } from './seen.ts';

/** What of `parts` isn't as it should be, and can be mended now: nothing of an interface that isn't there, or not up yet where that matters. Pure. */
export const missingParts = (parts: readonly Part[], seen: Seen): readonly Part[] =>
  parts.filter((part) => isPuttable(part, seen) && !isThere(part, seen));

/** Whether it is as it should be. */
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
