import { z } from 'zod';
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

/** The link-layer addresses, multicast and unicast, that an interface receives beside its own. Errors as of `listLinks`. */
export const listGroups = async (device: string): Promise<readonly string[]> => {
  const links = await listed(['maddress', 'show', 'dev', device], GROUPS);
  const multicast = links.flatMap(({ maddr }) =>
    maddr.flatMap(({ link }) => (link === undefined ? [] : [link])),
  );
  const unicast = parsed(
    FORWARDING,
    await run('bridge', ['-j', 'fdb', 'show', 'dev', device]),
    'bridge -j fdb show',
  );
  return [...multicast, ...unicast.filter(({ flags }) => flags.includes('self')).map(({ mac }) => mac)];
};

/** An IPv6 one has no duplicate address detection: the other nodes have it too. An IP group is joined. */
export const addAddress = async (device: string, address: string): Promise<void> => {
  const flags = address.includes(':') ? ['nodad'] : /^(22[4-9]|23\d)\./.test(address) ? ['autojoin'] : [];
  await run('ip', ['address', 'add', address, 'dev', device, ...flags]);
};

export const removeAddress = async (device: string, address: string): Promise<void> => {
  await run('ip', ['address', 'delete', address, 'dev', device]);
};

/** Has the interface receive frames to a MAC. A multicast one until it is removed as often as it was added. */
export const addGroup = (device: string, mac: string): Promise<void> => changeGroup('add', device, mac);

export const removeGroup = (device: string, mac: string): Promise<void> => changeGroup('delete', device, mac);

const changeGroup = async (verb: 'add' | 'delete', device: string, mac: string): Promise<void> => {
  await (isMulticast(mac)
    ? run('ip', ['maddress', verb, mac, 'dev', device])
    : run('bridge', ['fdb', verb, mac, 'dev', device, 'self']));
};

const isMulticast = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

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

const GROUPS = z.array(z.object({ maddr: z.array(z.object({ link: z.string().optional() })) }));

const FORWARDING = z.array(z.object({ mac: z.string(), flags: z.array(z.string()) }));

const listed = async <T>(args: readonly string[], schema: z.ZodType<T>): Promise<T> =>
  parsed(schema, await run('ip', ['-j', ...args]), `ip -j ${args.join(' ')}`);

const parsed = <T>(schema: z.ZodType<T>, text: string, command: string): T => {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LinkListError(`can't make sense of what "${command}" printed`, { cause });
  }
};
