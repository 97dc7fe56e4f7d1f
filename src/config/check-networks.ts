import { aboutValue, type Complaint, type KeyPath } from './complaint.ts';
import { type Interface, indexed, interfacesOf, isComplete, right, subnetsOf } from './remaining.ts';
import type { Remains } from './schema.ts';
import { contains, isLinkLocal, isSingle, overlap, type Subnet, subnetText } from './subnet.ts';

/**
 * The prefixes behind the interfaces: none within another of the same interface, its own subnets among them, and nothing in
 * common with other interfaces.
 */
export const checkNetworks = (config: Remains): readonly Complaint[] => {
  const interfaces = interfacesOf(config);
  return interfaces.flatMap((one, index) => {
    const path = ['interfaces', one.name, 'networks'];
    const others = claims(interfaces, index);
    return [
      ...indexed(one.networks).flatMap(([subnet, at], _, listed) => [
        ...nested(subnet, at, listed, [...path, at]),
        ...clashes(subnet, one, others, [...path, at]),
      ]),
      ...leftOut(one, path),
      ...unknown(one),
    ];
  });
};

interface Claim {
  readonly name: string;
  readonly subnet: Subnet;
}

/** What a network of the interface may not overlap with. Two networks that do are told of once, with the later one. */
const claims = (interfaces: readonly Interface[], index: number): readonly Claim[] =>
  interfaces.flatMap((other, at) => {
    const subnets = at === index ? [] : [...subnetsOf(other), ...(at < index ? right(other.networks) : [])];
    return subnets.map((subnet) => ({ name: other.name, subnet }));
  });

const nested = (
  subnet: Subnet,
  at: number,
  listed: readonly (readonly [Subnet, number])[],
  path: KeyPath,
): readonly Complaint[] => {
  const within = listed.find(
    ([other, index]) => contains(other, subnet) && (other.prefix < subnet.prefix || index < at),
  );
  return within === undefined
    ? []
    : [aboutValue(path, `${subnetText(subnet)} is within ${subnetText(within[0])}`, 'leave it out')];
};

const clashes = (
  subnet: Subnet,
  { name }: Interface,
  others: readonly Claim[],
  path: KeyPath,
): readonly Complaint[] => {
  const clash = others.find((other) => overlap(other.subnet, subnet));
  return clash === undefined
    ? []
    : [
        aboutValue(
          path,
          `${subnetText(subnet)} overlaps with ${subnetText(clash.subnet)} on ${clash.name}: a flow between the two would have no side whose address is hashed`,
          `name only prefixes behind ${name}`,
        ),
      ];
};

/** Hosts on the interface's own link are behind it too. */
const leftOut = (one: Interface, path: KeyPath): readonly Complaint[] => {
  const networks = right(one.networks);
  return networks.length > 0 && isComplete(one.networks)
    ? subnetsOf(one)
        .filter((subnet) => !networks.some((prefix) => contains(prefix, subnet)))
        .map((subnet) =>
          aboutValue(
            path,
            `leaves out ${subnetText(subnet)}, where ${subnet.address} is`,
            `add ${subnetText(subnet)}`,
          ),
        )
    : [];
};

/** Without `networks` an inside interface has the addresses' subnets behind it, so they need room for clients. */
const unknown = (one: Interface): readonly Complaint[] => {
  if (one.side !== 'inside' || (one.networks !== undefined && one.networks.length > 0)) {
    return [];
  }
  const path = ['interfaces', one.name, 'addresses'];
  if (isComplete(one.addresses) && right(one.addresses).length > 0 && subnetsOf(one).length === 0) {
    return [
      aboutValue(
        path,
        'are link-local, which says nothing about the network inside',
        'add an address of its network, or name the prefixes in networks',
      ),
    ];
  }
  return indexed(one.addresses)
    .filter(([subnet]) => isSingle(subnet) && !isLinkLocal(subnet.address))
    .map(([subnet, index]) =>
      aboutValue(
        [...path, index],
        `${subnet.address}/${subnet.prefix} says nothing about the network inside`,
        'use its real prefix length, or name the prefixes in networks',
      ),
    );
};
