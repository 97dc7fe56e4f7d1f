import { aboutKey, aboutValue, type Complaint } from './complaint.ts';
import type { Remains } from './schema.ts';
import { contains, overlap, type Subnet, single, subnetText } from './subnet.ts';
import { deviceProblem } from './values.ts';

/** What the schema can't see about the interfaces: sides, MACs and addresses beside each other. */
export const checkInterfaces = (config: Remains): readonly Complaint[] => {
  if (config.interfaces === undefined) {
    return [];
  }
  const interfaces = Object.entries(config.interfaces).map(([name, one]) => ({ name, ...one }));
  return [
    ...interfaces.flatMap((one) => nameComplaints(one)),
    ...sides(interfaces),
    ...macs(interfaces),
    ...interfaces.flatMap((one) => emptyLists(one)),
    ...addresses(interfaces),
    ...interfaces.flatMap((one) => networks(one, interfaces)),
    ...interfaces.flatMap((one) => snat(one, interfaces, config)),
  ];
};

type Interface = { readonly name: string } & NonNullable<Remains['interfaces']>[string];

const nameComplaints = ({ name }: Interface): readonly Complaint[] => {
  const problem = deviceProblem(name);
  return problem === undefined
    ? []
    : [aboutKey(['interfaces', name], problem, 'use the name that `ip link` shows, such as eth1')];
};

const sides = (interfaces: readonly Interface[]): readonly Complaint[] => {
  const known = interfaces.every((one) => one.side !== undefined);
  const missing = (['inside', 'outside'] as const)
    .filter((side) => known && !interfaces.some((one) => one.side === side))
    .map((side) =>
      aboutKey(['interfaces'], `has none with side: ${side}`, `add the interface on the ${side}`),
    );
  const seen = new Map<string, string>();
  const surplus = interfaces.flatMap(({ name, side }): readonly Complaint[] => {
    const first = side === undefined ? undefined : seen.get(side);
    if (side === undefined || first === undefined) {
      seen.set(side ?? '', name);
      return [];
    }
    return [
      aboutValue(
        ['interfaces', name, 'side'],
        `${name} is a second ${side} interface beside ${first}, which is not supported yet: the bucket of a flow between the two would depend on its direction`,
        'keep one inside and one outside interface',
      ),
    ];
  });
  return [...missing, ...surplus];
};

const macs = (interfaces: readonly Interface[]): readonly Complaint[] =>
  interfaces.flatMap(({ name, mac }, index) => {
    const first = interfaces.slice(0, index).find((one) => mac !== undefined && one.mac === mac);
    return first === undefined
      ? []
      : [aboutValue(['interfaces', name, 'mac'], `${mac} is ${first.name}'s`, 'give each interface its own')];
  });

const emptyLists = ({ name, addresses }: Interface): readonly Complaint[] =>
  addresses?.length === 0
    ? [aboutValue(['interfaces', name, 'addresses'], 'holds no address', 'use [192.168.0.5/24]')]
    : [];

/** No address twice, and no network on two interfaces. */
const addresses = (interfaces: readonly Interface[]): readonly Complaint[] => {
  const all = interfaces.flatMap((one) =>
    present(one.addresses).map(([subnet, index]) => ({ name: one.name, subnet, index })),
  );
  return all.flatMap(({ name, subnet, index }, position): readonly Complaint[] => {
    const path = ['interfaces', name, 'addresses', index];
    const text = `${subnet.address}/${subnet.prefix}`;
    const before = all.slice(0, position);
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
            `${text} overlaps with ${subnetText(clash.subnet)} on ${clash.name}`,
            'use networks that have no address in common',
          ),
        ];
  });
};

/** The prefixes inside: only there, none within another, own subnets among them, none of the outside's. */
const networks = (one: Interface, interfaces: readonly Interface[]): readonly Complaint[] => {
  const path = ['interfaces', one.name, 'networks'];
  const listedOnes = present(one.networks);
  if (one.side === 'outside') {
    return one.networks === undefined || one.networks.length === 0
      ? []
      : [aboutKey(path, 'is for the inside interface: the outside is everything else', 'leave it out')];
  }
  const outside = interfaces
    .filter((other) => other.side === 'outside')
    .flatMap((other) => present(other.addresses).map(([subnet]) => ({ name: other.name, subnet })));
  const each = listedOnes.flatMap(([subnet, index]): readonly Complaint[] => {
    const within = listedOnes.find(
      ([other, at]) => contains(other, subnet) && (other.prefix < subnet.prefix || at < index),
    );
    const clash = outside.find((other) => overlap(other.subnet, subnet));
    return [
      ...(within === undefined
        ? []
        : [
            aboutValue(
              [...path, index],
              `${subnetText(subnet)} is within ${subnetText(within[0])}`,
              'leave it out',
            ),
          ]),
      ...(clash === undefined
        ? []
        : [
            aboutValue(
              [...path, index],
              `${subnetText(subnet)} overlaps with ${subnetText(clash.subnet)} on the outside interface ${clash.name}`,
              'name only prefixes of the inside',
            ),
          ]),
    ];
  });
  const complete = listedOnes.length > 0 && listedOnes.length === one.networks?.length;
  const uncovered = present(one.addresses)
    .map(([subnet]) => subnet)
    .filter((subnet) => complete && !listedOnes.some(([prefix]) => contains(prefix, subnet)))
    .map((subnet) =>
      aboutValue(
        path,
        `leaves out ${subnetText(subnet)}, where ${subnet.address} is`,
        `add ${subnetText(subnet)}`,
      ),
    );
  return [...each, ...uncovered, ...hostless(one)];
};

/** Without `networks` the inside is the addresses' subnets, so they need room for clients. */
const hostless = (one: Interface): readonly Complaint[] =>
  one.side === 'inside' && (one.networks === undefined || one.networks.length === 0)
    ? present(one.addresses)
        .filter(([subnet]) => subnet.prefix === 32)
        .map(([subnet, index]) =>
          aboutValue(
            ['interfaces', one.name, 'addresses', index],
            `${subnet.address}/32 says nothing about the network inside`,
            'use its real prefix length, or name the prefixes in networks',
          ),
        )
    : [];

/** SNAT: outside, one address, and one whose packets come to this interface. */
const snat = (one: Interface, interfaces: readonly Interface[], config: Remains): readonly Complaint[] => {
  const path = ['interfaces', one.name, 'snat'];
  if (one.snat === undefined || one.snat.length === 0) {
    return [];
  }
  if (one.side === 'inside') {
    return [
      aboutKey(path, 'is for the outside interface: flows are translated as they leave', 'move it there'),
    ];
  }
  if (one.snat.length > 1) {
    return [
      aboutValue(
        path,
        `holds ${one.snat.length} addresses, and so far the ports of one are shared out among the buckets`,
        'keep one',
      ),
    ];
  }
  return present(one.snat).flatMap(([address, index]) => {
    const problem = snatProblem(address, one, interfaces, config);
    return problem === undefined ? [] : [aboutValue([...path, index], problem.text, problem.mend)];
  });
};

const snatProblem = (
  address: string,
  one: Interface,
  interfaces: readonly Interface[],
  config: Remains,
): { readonly text: string; readonly mend: string } | undefined => {
  const own = present(one.addresses).map(([subnet]) => subnet);
  const mend = own[0] === undefined ? 'use an address of this interface' : `use ${own[0].address}`;
  const node = Object.entries(config.nodes ?? {}).find(([, { sync }]) => sync === address);
  if (node !== undefined) {
    return { text: `${address} is the sync address of ${node[0]}`, mend };
  }
  if (own.some((candidate) => candidate.address === address)) {
    return undefined;
  }
  const inside = interfaces.find(
    (other) =>
      other.side === 'inside' &&
      [...present(other.addresses), ...present(other.networks)].some(([subnet]) =>
        contains(subnet, single(address)),
      ),
  );
  if (inside !== undefined) {
    return { text: `${address} is inside, behind ${inside.name}`, mend };
  }
  const subnet = own.find((candidate) => contains(candidate, single(address)));
  const complete = own.length === one.addresses?.length;
  return subnet !== undefined && complete
    ? {
        text: `${address} is in ${subnetText(subnet)} but not among the addresses of ${one.name}, so nobody would answer ARP for it`,
        mend: `add ${address}/${subnet.prefix} to addresses, or ${mend}`,
      }
    : undefined;
};

/** The items that are right, with their index in the file. */
const present = <Item extends Subnet | string>(
  items: readonly (Item | undefined)[] | undefined,
): readonly (readonly [Item, number])[] =>
  (items ?? []).flatMap((item, index): readonly (readonly [Item, number])[] =>
    item === undefined ? [] : [[item, index]],
  );
