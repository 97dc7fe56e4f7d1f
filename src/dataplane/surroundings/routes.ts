import { parseAddress } from '../../cluster/address.ts';
import type { Route } from '../../kernel/routes.ts';
import type { Judgement } from './judgement.ts';
import type { LegNeeds, Prefix } from './needs.ts';
import { holds, isWithoutIpv6, linkOf, type Seen } from './seen.ts';
import { deviceSetting, setting } from './setting.ts';

/** A question for the kernel: which way to `host`, that stands for all of a prefix. */
export interface Destination {
  readonly prefix: string;
  readonly host: string;
}

/**
 * What is to be asked: the way to a host of each prefix. Nothing of an interface that is down, without carrier, or a port of
 * something (the table of a VRF isn't asked), and nothing that a shared address brings that isn't there.
 */
export const destinationsOf = (
  legs: readonly LegNeeds[],
  seen: Omit<Seen, 'routes'>,
): readonly Destination[] => {
  const local = new Set(seen.addresses.map(({ address }) => address));
  return legs.flatMap((leg) => {
    const link = linkOf(seen, leg.device);
    if (link?.carrier !== true || link.master !== 0) return [];
    return leg.prefixes.flatMap((prefix) => {
      const host = hostOf(prefix, local);
      const asked = host !== undefined && !isAwaited(prefix, host, leg, seen) && !isOff(prefix, leg, seen);
      return asked ? [{ prefix: prefix.text, host }] : [];
    });
  });
};

/** Whether each prefix is reached out of the interface that it is behind. */
export const judgeRoutes = (legs: readonly LegNeeds[], seen: Seen): readonly Judgement[] =>
  legs.flatMap((leg) => {
    const ways = leg.prefixes.flatMap((prefix) => {
      const route = seen.routes.get(prefix.text);
      return route === undefined ? [] : [{ prefix, fault: faultOf(route, leg, seen) }];
    });
    const lost = ways.filter(({ fault }) => fault !== undefined).map(({ prefix }) => prefix);
    return [
      ...ways.map(({ prefix, fault }) => judgedRoute(prefix, leg, fault)),
      ...(ways.length === 0 ? [] : [judgedFilter(leg, lost.filter(isIpv4), seen)]),
    ];
  });

const hostOf = ({ hosts }: Prefix, local: ReadonlySet<string>): string | undefined => {
  for (const host of hosts) {
    if (!local.has(host)) return host;
  }
  return undefined;
};

/** Whether a shared address that isn't there, nor any other of its subnet, would bring the route. */
const isAwaited = (
  { broughtBy }: Prefix,
  host: string,
  { device }: LegNeeds,
  { addresses }: Pick<Seen, 'addresses'>,
): boolean => {
  const there = addresses.filter((one) => one.device === device);
  return (
    broughtBy.length > 0 &&
    !there.some(({ address }) => broughtBy.includes(address)) &&
    !there.some((one) => holds(one, parseAddress(host)))
  );
};

const isOff = ({ network }: Prefix, leg: LegNeeds, seen: Pick<Seen, 'settings'>): boolean =>
  network.family === 6 && isWithoutIpv6(seen, leg);

/** How a sentence goes on that begins with the prefix and what it is behind; undefined: it leaves by the interface. */
const faultOf = (route: Route, { device }: LegNeeds, seen: Pick<Seen, 'links'>): string | undefined => {
  switch (route.kind) {
    case 'out': {
      const out = seen.links.find(({ index }) => index === route.index)?.name;
      return out === device ? undefined : `out of ${out ?? 'another interface'}, the wrong way`;
    }
    case 'none':
      return 'nowhere: there is no route';
    case 'local':
      return 'nowhere: the route says that it is this machine itself';
    default:
      return `nowhere: the route is of type ${route.kind}`;
  }
};

const judgedRoute = (
  { text, broughtBy }: Prefix,
  { device }: LegNeeds,
  fault: string | undefined,
): Judgement => {
  const router = broughtBy.length > 0 ? '' : ' via ROUTER';
  return {
    code: 'route',
    object: `${device} ${text}`,
    problem:
      fault === undefined
        ? undefined
        : `${text} is behind ${device}, but what this node sends there goes ${fault}; mend it with "ip route replace ${text}${router} dev ${device}"`,
    again: `what this node sends to ${text} leaves by ${device} again`,
  };
};

/** Strict, it drops what comes from where no packet would be sent to by the same interface (ip-sysctl.rst, rp_filter). */
const judgedFilter = ({ device }: LegNeeds, lost: readonly Prefix[], seen: Pick<Seen, 'settings'>) => {
  const own = rpFilterOf(device);
  const values = [own, RP_FILTER].map((name) => Number(seen.settings.get(name) ?? 0));
  const strict = lost.length > 0 && Math.max(...values) === 1;
  const where = lost.map(({ text }) => text).join(', ');
  const name = values[0] === 1 ? own : RP_FILTER;
  return {
    code: 'rp-filter',
    object: device,
    problem: strict
      ? `${name} is 1, strict: what comes in by ${device} from ${where} is dropped, since the way back doesn't leave by ${device}; mend the route, or make it loose with ${setting(own, 2)}`
      : undefined,
    again: `the reverse path filter drops nothing on ${device} again`,
  } satisfies Judgement;
};

const isIpv4 = ({ network }: Prefix): boolean => network.family === 4;

/** The larger of this and an interface's own counts. */
export const RP_FILTER = 'net.ipv4.conf.all.rp_filter';

export const rpFilterOf = (device: string): string => deviceSetting(4, device, 'rp_filter');
