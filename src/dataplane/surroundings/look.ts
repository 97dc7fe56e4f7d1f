import type { Channel } from '../../kernel/channel.ts';
import { addressesOf, listLinks } from '../../kernel/links.ts';
import { type Route, routeTo } from '../../kernel/routes.ts';
import { readSysctlNow } from '../../system/sysctl.ts';
import { forwardingOf, IPV4_FORWARDING, IPV6_FORWARDING } from './forwarding.ts';
import type { LegNeeds, Needs } from './needs.ts';
import { keepSetting } from './own-addresses.ts';
import { destinationsOf, RP_FILTER, rpFilterOf } from './routes.ts';
import { ipv6Switch, type Seen } from './seen.ts';

/**
 * Looks at what the cluster needs of this machine.
 *
 * @param channel of `openLinkChannel`
 * @throws SysctlError, and what `listLinks` and `routeTo` throw
 */
export const lookAround = async ({ legs }: Pick<Needs, 'legs'>, channel: Channel): Promise<Seen> => {
  const links = await listLinks(channel);
  const addresses = await addressesOf(links, [4, 6], channel);
  const settings = valuesOf(settingsOf(legs));
  const found = { links, addresses, settings };
  const routes = new Map<string, Route>();
  for (const { prefix, host } of destinationsOf(legs, found)) {
    routes.set(prefix, await routeTo(host, channel));
  }
  return { ...found, routes };
};

const settingsOf = (legs: readonly LegNeeds[]): readonly string[] => {
  const ipv6 = legs.filter(({ families }) => families.has(6)).map(({ device }) => device);
  const ipv4 = legs.filter(({ families }) => families.has(4)).map(({ device }) => device);
  return [
    ...(ipv4.length > 0 ? [IPV4_FORWARDING, RP_FILTER] : []),
    ...ipv4.flatMap((device) => [forwardingOf(4, device), rpFilterOf(device)]),
    ...(ipv6.length > 0 ? [IPV6_FORWARDING] : []),
    ...(ipv6.length > 0 ? ['all', ...ipv6] : []).map(keepSetting),
    ...ipv6.flatMap((device) => [forwardingOf(6, device), ipv6Switch(device)]),
  ];
};

const valuesOf = (names: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    names.flatMap((name) => {
      const value = readSysctlNow(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
