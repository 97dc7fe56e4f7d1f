import { aboutValue, type Complaint, type KeyPath } from './complaint.ts';
import { isMulticastMac } from './mac.ts';
import { type Interface, interfacesOf } from './remaining.ts';
import type { Remains } from './schema.ts';

/** The MACs: each interface its own, and one that brings frames to every node the way `delivery` says. */
export const checkDelivery = (
  config: Remains,
  isFaulty: (path: KeyPath) => boolean,
): readonly Complaint[] => {
  const interfaces = interfacesOf(config);
  return interfaces.flatMap((one, index): readonly Complaint[] => {
    const { name, mac, delivery } = one;
    if (mac === undefined) {
      return [];
    }
    const first = interfaces.slice(0, index).find((other) => other.mac === mac);
    const unfit =
      delivery === undefined || isFaulty(['interfaces', name, 'delivery'])
        ? undefined
        : problemOf(mac, delivery);
    return [
      ...(first === undefined
        ? []
        : [
            aboutValue(
              ['interfaces', name, 'mac'],
              `${mac} is ${first.name}'s`,
              'give each interface its own',
            ),
          ]),
      ...(unfit === undefined
        ? []
        : [aboutValue(['interfaces', name, 'mac'], `"${mac}" ${unfit.problem}`, unfit.mend)]),
    ];
  });
};

interface Problem {
  readonly problem: string;
  readonly mend: string;
}

const problemOf = (mac: string, delivery: NonNullable<Interface['delivery']>): Problem | undefined => {
  if (delivery === 'stealth') {
    return stealthProblem(mac);
  }
  if (!isMulticastMac(mac)) {
    return {
      problem: `is not a multicast MAC (the low bit of its first byte is 0), so with delivery ${delivery} a switch sends it to one node only`,
      mend: 'use a multicast MAC such as "01:00:5e:00:01:01"',
    };
  }
  return delivery === 'igmp' ? igmpProblem(mac) : undefined;
};

/** A switch that doesn't know a unicast MAC floods it. */
const stealthProblem = (mac: string): Problem | undefined => {
  const mend = 'use one such as "02:00:5e:00:01:01"';
  if (isMulticastMac(mac)) {
    return {
      problem:
        'is a multicast MAC (the low bit of its first byte is 1), and delivery stealth needs a unicast one',
      mend,
    };
  }
  if (mac === '00:00:00:00:00:00') {
    return { problem: "is nobody's MAC, and delivery stealth needs one that hosts take from ARP", mend };
  }
  // RFC 5798, 7.3: the owner of a virtual router sends from it, so switches know where it is.
  return /^00:00:5e:00:0[12]:/.test(mac)
    ? { problem: "is a VRRP router's MAC, and with delivery stealth no frame may ever come from it", mend }
    : undefined;
};

/** Nodes can only join groups of IPv4 (RFC 1112, 6.4), and switches keep no members of 224.0.0.x (RFC 4541, 2.1.2). */
const igmpProblem = (mac: string): Problem | undefined => {
  if (!/^01:00:5e:[0-7]/.test(mac)) {
    return {
      problem: 'is not the MAC of an IPv4 group, which the nodes join with delivery igmp',
      mend: 'use one from "01:00:5e:00:01:00" to "01:00:5e:7f:ff:ff"',
    };
  }
  return mac.startsWith('01:00:5e:00:00:')
    ? {
        problem:
          'is the MAC of a group 224.0.0.x, of which switches keep no members, so it is none for delivery igmp',
        mend: 'use one such as "01:00:5e:00:01:01"',
      }
    : undefined;
};
