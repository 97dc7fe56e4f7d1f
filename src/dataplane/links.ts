import { z } from 'zod';
import { run } from '../system/run.ts';

/** An interface as far as the data plane looks at it. */
export interface Link {
  readonly name: string;
  readonly up: boolean;
  readonly ethernet: boolean;
  /** What it is a port of, with the kind of that: bridge, bond, team, vrf. */
  readonly master: { readonly name: string; readonly kind: string | undefined } | undefined;
  /** IPv4 addresses with prefix: 192.168.0.5/24. */
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
    master:
      link.master === undefined ? undefined : { name: link.master, kind: link.linkinfo?.info_slave_kind },
    addresses: link.addr_info
      .filter(({ family }) => family === 'inet')
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  }));
};

/** The link-layer addresses that an interface receives beside its own. Errors as of `listLinks`. */
export const listGroups = async (device: string): Promise<readonly string[]> => {
  const links = await listed(['maddress', 'show', 'dev', device], GROUPS);
  return links.flatMap(({ maddr }) => maddr.flatMap(({ link }) => (link === undefined ? [] : [link])));
};

export const addAddress = async (device: string, address: string): Promise<void> => {
  await run('ip', ['address', 'add', address, 'dev', device]);
};

export const removeAddress = async (device: string, address: string): Promise<void> => {
  await run('ip', ['address', 'delete', address, 'dev', device]);
};

/** Has the interface receive frames to a MAC, until it is removed as often as it was added. */
export const addGroup = async (device: string, mac: string): Promise<void> => {
  await run('ip', ['maddress', 'add', mac, 'dev', device]);
};

export const removeGroup = async (device: string, mac: string): Promise<void> => {
  await run('ip', ['maddress', 'delete', mac, 'dev', device]);
};

/** `ip -j` leaves empty objects in its lists for what the filter has left out. */
const LINKS = z.array(
  z.object({
    ifname: z.string(),
    flags: z.array(z.string()),
    link_type: z.string(),
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

const listed = async <T>(args: readonly string[], schema: z.ZodType<T>): Promise<T> => {
  const text = await run('ip', ['-j', ...args]);
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LinkListError(`can't make sense of what "ip -j ${args.join(' ')}" printed`, { cause });
  }
};
