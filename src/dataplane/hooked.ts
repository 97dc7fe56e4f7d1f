import { type Link, listLinks } from '../kernel/links.ts';
import type { Plan } from './plan.ts';

/**
 * The interfaces that our rules were loaded for, by the node's names of them. Rules are hooked to an interface, not to its name: one that
 * is removed takes them along, and another of that name has none (nft_netdev_event() in net/netfilter/nft_chain_filter.c), or from
 * Linux 6.16 on the old ones. What of IPv6 is announced there depends on its MAC.
 */
export type Hooked = Readonly<Record<string, Device>>;

export interface Device {
  readonly index: number;
  readonly mac: string;
}

/** Those that the rules would be loaded for now. Throws what `listLinks` throws. */
export const hookedNow = async ({ legs }: Plan, listed?: readonly Link[]): Promise<Hooked> => {
  const links = listed ?? (await listLinks());
  const names = legs.map(({ device }) => device);
  return Object.fromEntries(
    links
      .filter(({ name }) => names.includes(name))
      .map(({ name, index, mac }) => [name, { index, mac }] as const),
  );
};

/** What has become of the interfaces since the rules were loaded, in a few words; undefined: nothing that rules have to be loaded for. Pure. */
export const changeOf = (hooked: Hooked, now: Hooked): string | undefined => {
  const changes = Object.entries(now).flatMap(([name, { index, mac }]) => {
    const before = hooked[name];
    if (before === undefined) return [`${name} has come`];
    if (before.index !== index) return [`${name} was made again`];
    return before.mac === mac ? [] : [`${name} has another MAC, ${mac}`];
  });
  return textOf(changes);
};

/** Which interfaces that the rules were loaded for are gone since, in a few words; undefined: none. Pure. */
export const goneOf = (hooked: Hooked, now: Hooked): string | undefined =>
  textOf(
    Object.entries(hooked).flatMap(([name, { index }]) => {
      if (now[name]?.index === index) return [];
      return [now[name] === undefined ? `${name} is gone` : `${name} was made again`];
    }),
  );

const textOf = (changes: readonly string[]): string | undefined =>
  changes.length === 0 ? undefined : changes.join(', ');
