import { aboutKey, aboutValue, type Complaint } from './complaint.ts';
import { type Interface, indexed, interfacesOf } from './remaining.ts';
import type { Remains } from './schema.ts';
import { isLinkLocal, overlap, subnetText } from './subnet.ts';
import { deviceProblem } from './values.ts';

/** What the schema can't see about the interfaces: names, sides, and addresses beside each other. */
export const checkInterfaces = (config: Remains): readonly Complaint[] => {
  if (config.interfaces === undefined) {
    return [];
  }
  const interfaces = interfacesOf(config);
  return [
    ...interfaces.flatMap((one) => nameComplaints(one)),
    ...sides(interfaces),
    ...interfaces.flatMap((one) => emptyLists(one)),
    ...addresses(interfaces),
  ];
};

const nameComplaints = ({ name }: Interface): readonly Complaint[] => {
  const problem = deviceProblem(name);
  return problem === undefined
    ? []
    : [aboutKey(['interfaces', name], problem, 'use the name that `ip link` shows, such as eth1')];
};

const sides = (interfaces: readonly Interface[]): readonly Complaint[] => {
  const known = interfaces.every((one) => one.side !== undefined);
  return (['inside', 'outside'] as const)
    .filter((side) => known && !interfaces.some((one) => one.side === side))
    .map((side) =>
      aboutKey(['interfaces'], `has none with side: ${side}`, `add the interface on the ${side}`),
    );
};

const emptyLists = ({ name, addresses }: Interface): readonly Complaint[] =>
  addresses?.length === 0
    ? [aboutValue(['interfaces', name, 'addresses'], 'holds no address', 'use [192.168.0.5/24]')]
    : [];

/** No address twice, and no network on two interfaces; but link-local ones, which each interface has for itself. */
const addresses = (interfaces: readonly Interface[]): readonly Complaint[] => {
  const all = interfaces.flatMap(({ name, addresses }) =>
    indexed(addresses).map(([subnet, index]) => ({ name, subnet, index })),
  );
  return all.flatMap(({ name, subnet, index }, position): readonly Complaint[] => {
    const path = ['interfaces', name, 'addresses', index];
    const before = all
      .slice(0, position)
      .filter((other) => other.name === name || !isLinkLocal(subnet.address));
    const same = before.find((other) => other.subnet.address === subnet.address);
    if (same !== undefined) {
      return [
        aboutValue(path, `${subnet.address} is there twice, first on ${same.name}`, 'keep one of them'),
      ];
    }
    const clash = before.find((other) => other.name !== name && overlap(other.subnet, subnet));
    return clash === undefined
      ? []
      : [
          aboutValue(
            path,
            `${subnet.address}/${subnet.prefix} overlaps with ${subnetText(clash.subnet)} on ${clash.name}`,
            'use networks that have no address in common',
          ),
        ];
  });
};
