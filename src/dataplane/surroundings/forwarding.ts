import type { Judgement } from './judgement.ts';
import type { LegNeeds } from './needs.ts';
import { ipv6Switch, linkOf, type Seen } from './seen.ts';
import { deviceSetting, setting } from './setting.ts';

export const IPV4_FORWARDING = 'net.ipv4.ip_forward';
export const IPV6_FORWARDING = 'net.ipv6.conf.all.forwarding';

/** Whether the kernel passes packets on at all, and those that come in by each interface. */
export const judgeForwarding = (legs: readonly LegNeeds[], seen: Seen): readonly Judgement[] => [
  ...judgeIpv4(
    legs.filter(({ families }) => families.has(4)),
    seen,
  ),
  ...judgeIpv6(
    legs.filter(({ families }) => families.has(6)),
    seen,
  ),
];

/** In IPv4 the interface that a packet comes in by decides; setting the one for all sets each (ip-sysctl.rst, ip_forward). */
const judgeIpv4 = (legs: readonly LegNeeds[], seen: Seen): readonly Judgement[] => {
  const devices = legs.map(({ device }) => device);
  const off = devices.filter((device) => seen.settings.get(forwardingOf(4, device)) === '0');
  const known = devices.filter((device) => seen.settings.has(forwardingOf(4, device)));
  const all = seen.settings.get(IPV4_FORWARDING) === '0' && (off.length > 0 || known.length < devices.length);
  return legs.length === 0
    ? []
    : [
        judgedSetting('ipv4-forwarding', IPV4_FORWARDING, 1, all, 'this node forwards nothing'),
        ...(all ? [] : known).map((device) =>
          judgedSetting(
            'ipv4-forwarding',
            forwardingOf(4, device),
            1,
            off.includes(device),
            `this node forwards no IPv4 packet that comes in by ${device}`,
          ),
        ),
      ];
};

/**
 * In IPv6 the one setting decides; that of an interface says whether the node is a router there (ip-sysctl.rst, forwarding), which
 * only clients look at.
 */
const judgeIpv6 = (legs: readonly LegNeeds[], seen: Seen): readonly Judgement[] => {
  const all = seen.settings.get(IPV6_FORWARDING) === '0';
  const off = (device: string): boolean => seen.settings.get(forwardingOf(6, device)) === '0';
  const there = legs.filter(({ device }) => linkOf(seen, device) !== undefined);
  return legs.length === 0
    ? []
    : [
        judgedSetting('ipv6-forwarding', IPV6_FORWARDING, 1, all, 'this node forwards nothing of IPv6'),
        ...there
          .filter(({ side }) => side === 'inside' && !all)
          .map(({ device }) =>
            judgedSetting(
              'ipv6-forwarding',
              forwardingOf(6, device),
              1,
              off(device),
              `this node tells its neighbours on ${device} that it is no router, and those that have learned it as one send it nothing more`,
            ),
          ),
        ...there.map(({ device }) =>
          judgedSetting(
            'ipv6-disabled',
            ipv6Switch(device),
            0,
            seen.settings.get(ipv6Switch(device)) === '1',
            `no IPv6 packet comes in or leaves by ${device}`,
          ),
        ),
      ];
};

/** Of a setting of 0 and 1 that must have the value `right`. */
const judgedSetting = (
  code: Judgement['code'],
  name: string,
  right: 0 | 1,
  wrong: boolean,
  consequence: string,
): Judgement => ({
  code,
  object: name,
  problem: wrong ? `${name} is ${1 - right}: ${consequence}; set it with ${setting(name, right)}` : undefined,
  again: `${name} is ${right} again`,
});

export const forwardingOf = (family: 4 | 6, device: string): string =>
  deviceSetting(family, device, 'forwarding');
