import * as z from 'zod';
import { run } from '../system/run.ts';

/** An interface as far as the data plane looks at it. */
export interface Link {
  readonly name: string;
  readonly up: boolean;
  readonly ethernet: boolean;
  /** What it is a port of, with the kind of that: bridge, bond, team, vrf. */
  readonly master: { readonly name: string; readonly kind: string | undefined } | undefined;
  readonly mac: string;
  /** Addresses with prefix: 192.168.0.5/24. */
  readonly addresses: readonly string[];
}

/** The answer of `ip` isn't what is known of it. */
class LinkListError extends Error {
  override readonly name = 'LinkListError';
}

/** All interfaces of this network namespace. Throws LinkListError, and ProgramError as `run` does. */
export const listLinks = async (): Promise<readonly Link[]> => {
  const links = await listed(['-d', 'address', 'show'], LINKS);
  return links.map((link) => ({
    name: link.ifname,
    up: link.flags.includes('UP'),
    ethernet: link.link_type === 'ether',
    mac: link.address ?? '',
    master:
      link.master === undefined ? undefined : { name: link.master, kind: link.linkinfo?.info_slave_kind },
    addresses: link.addr_info
      .filter(({ family }) => family === 'inet' || family === 'inet6')
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  }));
};

/**
 * Adds an address, or mends one that is there. An IPv6 one has no duplicate address detection: the other nodes have it too. An IP
 * group is joined.
 */
export const addAddress = async (
  device: string,
  address: string,
  { deprecated, broadcast }: { readonly deprecated: boolean; readonly broadcast?: string | undefined },
): Promise<void> => {
  const flags = [
    ...(address.includes(':') ? ['nodad'] : /^(22[4-9]|23\d)\./.test(address) ? ['autojoin'] : []),
    ...(deprecated ? ['preferred_lft', '0'] : []),
    ...(broadcast === undefined ? [] : ['broadcast', broadcast]),
  ];
  await run('ip', ['address', 'replace', address, 'dev', device, ...flags]);
};

export const removeAddress = async (device: string, address: string): Promise<void> => {
  await run('ip', ['address', 'delete', address, 'dev', device]);
};

/** By which our routes are known from others'; it has no meaning for the kernel (rtm_protocol in rtnetlink(7)). */
const PROTOCOL = '131';
/** The last of all: the route that the kernel makes with an address of the node's own comes first. */
const METRIC = '2147483647';

/** Has hosts of a subnet be reached by an interface where nothing else says how, with `source` as this node's own address then. */
export const addWay = async (device: string, network: string, source: string): Promise<void> => {
  const route = [network, 'dev', device, 'proto', PROTOCOL, 'metric', METRIC, 'src', source];
  await run('ip', ['route', 'replace', ...(await vrfOf(device)), ...route]);
};

/** One that is gone already is no error. */
export const removeWay = async (device: string, network: string): Promise<void> => {
  const route = [network, 'dev', device, 'proto', PROTOCOL];
  await run('ip', ['route', 'flush', ...(await vrfOf(device)), ...route]);
};

/** The routes of an interface in a VRF stand in that one's table. */
const vrfOf = async (device: string): Promise<readonly string[]> => {
  const master = (await listLinks()).find(({ name }) => name === device)?.master;
  return master?.kind === 'vrf' ? ['vrf', master.name] : [];
};

/** Has the interface receive frames to a MAC. A multicast one until it is removed as often as it was added. */
export const addGroup = (device: string, mac: string): Promise<void> => changeGroup('add', device, mac);

export const removeGroup = (device: string, mac: string): Promise<void> => changeGroup('delete', device, mac);

const changeGroup = async (verb: 'add' | 'delete', device: string, mac: string): Promise<void> => {
  await (isUnicast(mac)
    ? run('bridge', ['fdb', verb, mac, 'dev', device, 'self'])
    : run('ip', ['maddress', verb, mac, 'dev', device]));
};

export const isUnicast = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0;

/** `ip -j` leaves empty objects in its lists for what the filter has left out. */
const LINKS = z.array(
  z.object({
    ifname: z.string(),
    flags: z.array(z.string()),
    link_type: z.string(),
    address: z.string().optional(),
    master: z.string().optional(),
    linkinfo: z.object({ info_slave_kind: z.string().optional() }).optional(),
    addr_info: z.array(
      z.object({
        family: z.string().optional(),
        local: z.string().optional(),
        prefixlen: z.number().optional(),
      }),
    ),
  }),
);

const listed = async <T>(args: readonly string[], schema: z.ZodType<T>): Promise<T> =>
  parsed(schema, await run('ip', ['-j', ...args]), `ip -j ${args.join(' ')}`);

const parsed = <T>(schema: z.ZodType<T>, text: string, command: string): T => {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LinkListError(`can't make sense of what "${command}" printed`, { cause });
  }
};
