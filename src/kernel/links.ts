import { type Address, addressText, type Family } from '../cluster/address.ts';
import {
  attributeType,
  HEADER,
  nextAttribute,
  readByte,
  readHost32,
  readIpv6,
  readText,
} from './attributes.ts';
import { Channel, NETLINK_ROUTE, type OnMessage } from './channel.ts';
import { dump } from './dump.ts';
import { NetlinkConflictError, NetlinkReplyError } from './error.ts';
import { MessageWriter, NLM_F_DUMP, NLM_F_REQUEST } from './message.ts';

/** A network interface. */
export interface Link {
  readonly name: string;
  readonly index: number;
  /** `02:00:00:00:00:01`; empty where it has none. */
  readonly mac: string;
  /** It has been set up by the administrator (IFF_UP). */
  readonly up: boolean;
  /** It is up and its cable carries. */
  readonly carrier: boolean;
  /** Index of what it is a port of: a bridge, a bond, a VRF; 0: of nothing. */
  readonly master: number;
}

/** An address of this machine. */
export interface LocalAddress {
  readonly device: string;
  readonly address: string;
  readonly prefix: number;
}

type NumberedAddress = Omit<LocalAddress, 'device'> & { readonly index: number; readonly family: Family };

/** include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h. */
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const IFINFOMSG_BYTES = 16;
const IFADDRMSG_BYTES = 8;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MASTER = 10;
const IFLA_CARRIER = 33;
const IFF_UP = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const AF_INET = 2;
const AF_INET6 = 10;
const FAMILIES = new Map<number, Family>([
  [AF_INET, 4],
  [AF_INET6, 6],
]);

/** A link with many virtual functions is one message of several KiB; the kernel sends at most 32 KiB. */
const RECEIVE_BYTES = 32 * 1024;
const ATTEMPTS = 20;

/** For those who list often: opening a channel costs as much as the listing. To be closed. */
export const openLinkChannel = (): Channel =>
  new Channel({ protocol: NETLINK_ROUTE, receiveBytes: RECEIVE_BYTES, timeoutMs: 1000 });

/**
 * All interfaces of this network namespace, or of the one that `channel` was opened in. Throws what `Channel.request`
 * throws, or NetlinkConflictError.
 */
export const listLinks = (channel?: Channel): Promise<Link[]> =>
  list('interfaces', RTM_GETLINK, IFINFOMSG_BYTES, parseLink, channel);

/** Whether there is an interface of this name. */
export const linkExists = async (name: string): Promise<boolean> =>
  (await listLinks()).some((link) => link.name === name);

/** The addresses of all interfaces, of IPv4 by default. Errors as from `listLinks`. */
export const localAddresses = async (families: readonly Family[] = [4]): Promise<LocalAddress[]> => {
  const addresses = await list('addresses', RTM_GETADDR, IFADDRMSG_BYTES, parseAddress);
  return withNames(addresses, await listLinks(), families);
};

/** The addresses of interfaces that were listed just now, over an open channel. Errors as from `listLinks`. */
export const addressesOf = async (
  links: readonly Link[],
  families: readonly Family[],
  channel: Channel,
): Promise<LocalAddress[]> =>
  withNames(await list('addresses', RTM_GETADDR, IFADDRMSG_BYTES, parseAddress, channel), links, families);

const withNames = (
  addresses: readonly NumberedAddress[],
  links: readonly Link[],
  families: readonly Family[],
): LocalAddress[] => {
  const names = new Map(links.map(({ index, name }) => [index, name]));
  return addresses.flatMap(({ index, family, address, prefix }) => {
    const device = names.get(index);
    const found = device !== undefined && families.includes(family); // or it was removed in between
    return found ? [{ device, address, prefix }] : [];
  });
};

const list = async <Entry>(
  subject: string,
  type: number,
  headerBytes: number,
  parse: (...message: Parameters<OnMessage>) => Entry | undefined,
  opened?: Channel,
): Promise<Entry[]> => {
  const channel = opened ?? new Channel({ protocol: NETLINK_ROUTE, receiveBytes: RECEIVE_BYTES });
  const encode = (sequence: number): Uint8Array => {
    const writer = new MessageWriter(64);
    writer.openMessage(type, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    writer.zeros(headerBytes);
    writer.closeMessage();
    return writer.written;
  };
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const reply = dump(channel, { operation: 'list', subject, encode, parse });
      const entries: Entry[] = [];
      let part = await reply.next();
      for (; part.done !== true; part = await reply.next()) {
        entries.push(...part.value);
      }
      if (!part.value) {
        return entries;
      }
    }
    throw new NetlinkConflictError('list', subject, ATTEMPTS, undefined);
  } finally {
    if (channel !== opened) {
      channel.close();
    }
  }
};

const parseLink: (...message: Parameters<OnMessage>) => Link | undefined = (view, at, end, type) => {
  if (type !== RTM_NEWLINK) {
    return undefined;
  }
  checkHeader(at, IFINFOMSG_BYTES, end);
  const up = (view.getUint32(at + 8, true) & IFF_UP) !== 0;
  let name = '';
  let mac = '';
  let carrier = false;
  let master = 0;
  for (let attribute = at + IFINFOMSG_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    switch (attributeType(view, attribute)) {
      case IFLA_IFNAME:
        name = readText(view, attribute);
        break;
      case IFLA_ADDRESS:
        mac = macText(view, attribute);
        break;
      case IFLA_CARRIER:
        carrier = up && readByte(view, attribute) === 1;
        break;
      case IFLA_MASTER:
        master = readHost32(view, attribute);
        break;
    }
  }
  if (name === '') {
    throw new NetlinkReplyError('an interface without a name', at);
  }
  return { name, index: view.getInt32(at + 4, true), mac, up, carrier, master };
};

const parseAddress: (...message: Parameters<OnMessage>) => NumberedAddress | undefined = (
  view,
  at,
  end,
  type,
) => {
  if (type !== RTM_NEWADDR) {
    return undefined;
  }
  checkHeader(at, IFADDRMSG_BYTES, end);
  const family = FAMILIES.get(view.getUint8(at));
  if (family === undefined) {
    return undefined;
  }
  // On a point-to-point link IFA_ADDRESS is the far end; IFA_LOCAL is ours on every one that has it.
  let local: Address | undefined;
  let address: Address | undefined;
  for (let attribute = at + IFADDRMSG_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    const attributeKind = attributeType(view, attribute);
    if (attributeKind === IFA_LOCAL) {
      local = readAddress(view, attribute, family);
    } else if (attributeKind === IFA_ADDRESS) {
      address = readAddress(view, attribute, family);
    }
  }
  const own = local ?? address;
  if (own === undefined) {
    throw new NetlinkReplyError('an address message without an address', at);
  }
  const index = view.getUint32(at + 4, true);
  return { index, family, address: addressText(own), prefix: view.getUint8(at + 1) };
};

const readAddress = (view: DataView, attribute: number, family: Family): Address =>
  family === 4 ? readHost32(view, attribute) : readIpv6(view, attribute);

const checkHeader = (at: number, length: number, end: number): void => {
  if (at + length > end) {
    throw new NetlinkReplyError(`a header of ${end - at} bytes, ${length} expected`, at);
  }
};

const macText = (view: DataView, attribute: number): string => {
  const length = view.getUint16(attribute, true) - HEADER;
  return Array.from({ length }, (_, index) =>
    view
      .getUint8(attribute + HEADER + index)
      .toString(16)
      .padStart(2, '0'),
  ).join(':');
};
