import { readFile } from 'node:fs/promises';
import type { Channel } from '../kernel/channel.ts';
import {
  addressesOf,
  type Link,
  type LocalAddress,
  listLinks,
  openLinkChannel,
  receivedMacs,
} from '../kernel/links.ts';
import { type Route, routeTo } from '../kernel/routes.ts';
import { readSysctl } from '../system/sysctl.ts';
import { isUnicast } from './links.ts';
import type { Part, WayToSubnet } from './parts.ts';
import { hostsOf } from './surroundings/hosts.ts';

/** What the kernel has of what parts are about, read a moment ago. */
export interface Seen {
  readonly links: readonly Link[];
  readonly addresses: readonly LocalAddress[];
  /** The MACs, beside its own, that each interface receives frames to, by the interface's index. */
  readonly received: ReadonlyMap<number, ReadonlySet<string>>;
  readonly settings: ReadonlyMap<string, string | undefined>;
  /** Where a packet to a host of each subnet would go. */
  readonly ways: ReadonlyMap<string, Route>;
}

/** Link-layer groups of all interfaces: index, name, users, the administrator's among them, MAC (dev_mc_seq_show() in net/core/dev_addr_lists.c). */
const GROUPS = '/proc/net/dev_mcast';

/**
 * Looks what there is of `parts`, and at all interfaces and addresses.
 *
 * @param channel of `openLinkChannel`, for who looks often
 * @throws what `listLinks` throws, SysctlError
 */
export const seeParts = async (parts: readonly Part[], channel?: Channel): Promise<Seen> => {
  const own = channel ?? openLinkChannel();
  try {
    const links = await listLinks(own);
    return {
      links,
      addresses: await addressesOf(links, [4, 6], own),
      received: await receivedOf(parts, own),
      settings: await settingsOf(parts),
      ways: await waysOf(parts, own),
    };
  } finally {
    if (own !== channel) own.close();
  }
};

/** Multicast MACs are told by a file alone; the kernel is asked for unicast ones only if there is one among the parts. */
const receivedOf = async (
  parts: readonly Part[],
  channel: Channel,
): Promise<ReadonlyMap<number, ReadonlySet<string>>> => {
  const macs = parts.flatMap((part) => (part.kind === 'group' ? [part.mac] : []));
  const entries = [
    ...(macs.length === 0 ? [] : parseGroups(await readFile(GROUPS, 'utf8'))),
    ...(macs.some(isUnicast) ? await receivedMacs(channel) : []),
  ];
  const received = new Map<number, Set<string>>();
  for (const { index, mac } of entries) {
    received.set(index, (received.get(index) ?? new Set()).add(mac));
  }
  return received;
};

const parseGroups = (text: string): readonly { readonly index: number; readonly mac: string }[] =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns.length === 5)
    .map(([index, , , , mac = '']) => ({
      index: Number(index),
      mac: mac.match(/../g)?.join(':') ?? '',
    }));

const settingsOf = async (parts: readonly Part[]): Promise<Seen['settings']> => {
  const names = parts.flatMap((part) => (part.kind === 'setting' ? [part.name] : []));
  return new Map(await Promise.all(names.map(async (name) => [name, await readSysctl(name)] as const)));
};

const waysOf = async (parts: readonly Part[], channel: Channel): Promise<Seen['ways']> => {
  const ways = new Map<string, Route>();
  for (const part of parts) {
    if (part.kind === 'way') ways.set(part.network, await wayTo(part, channel));
  }
  return ways;
};

/** By a host that isn't this node itself. */
const wayTo = async ({ network, source }: WayToSubnet, channel: Channel): Promise<Route> => {
  for (const host of hostsOf(network, [])) {
    const found: Route = host === source ? { kind: 'local' } : await routeTo(host, channel);
    if (found.kind !== 'local') return found;
  }
  return { kind: 'local' };
};
