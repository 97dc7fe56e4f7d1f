import { aboutKey, aboutValue, type Complaint } from './complaint.ts';
import { listed } from './leaf.ts';
import type { Remains } from './schema.ts';
import { overlap, single, subnetText } from './subnet.ts';
import { labelProblem } from './values.ts';

/** What the schema can't see about the nodes: names, ids and addresses beside each other. */
export const checkNodes = (config: Remains): readonly Complaint[] => {
  if (config.nodes === undefined) {
    return [];
  }
  const nodes = Object.entries(config.nodes);
  return [
    ...count(nodes.map(([name]) => name)),
    ...nodes.flatMap(([name]) => nameComplaints(name)),
    ...sameTwice(nodes, 'name', ([name]) => name.toLowerCase()),
    ...sameTwice(nodes, 'id', ([, node]) => node.id),
    ...sameTwice(nodes, 'sync', ([, node]) => node.sync),
    ...nodes.flatMap(([name, node]) =>
      node.sync === undefined ? [] : syncComplaints(config, name, node.sync),
    ),
    ...nodes.flatMap(([name, node]) => deviceComplaints(config, name, node.devices ?? {})),
  ];
};

type Node = NonNullable<Remains['nodes']>[string];

const count = (names: readonly string[]): readonly Complaint[] => {
  if (names.length < 2) {
    return [
      aboutKey(
        ['nodes'],
        `holds ${names.length === 0 ? 'no node' : 'one node'}`,
        'name at least two firewalls',
      ),
    ];
  }
  return names
    .slice(MOST_NODES)
    .map((name) =>
      aboutKey(
        ['nodes', name],
        `is one node too many: ${MOST_NODES + 1} make more groups than there are VRIDs`,
        `keep ${MOST_NODES} nodes`,
      ),
    );
};

/** Each group has a VRID of its own, of 255. */
const MOST_NODES = 16;

const nameComplaints = (name: string): readonly Complaint[] => {
  const problem = labelProblem(name);
  return problem === undefined
    ? []
    : [aboutKey(['nodes', name], problem, 'use the first part of its host name, such as fw1')];
};

/** Complaints about every node that has what an earlier one has. */
const sameTwice = (
  nodes: readonly (readonly [string, Node])[],
  what: 'name' | 'id' | 'sync',
  read: (entry: readonly [string, Node]) => string | number | undefined,
): readonly Complaint[] => {
  const firsts = new Map<string | number, string>();
  return nodes.flatMap((entry): readonly Complaint[] => {
    const [name] = entry;
    const value = read(entry);
    if (value === undefined) {
      return [];
    }
    const first = firsts.get(value);
    if (first === undefined) {
      firsts.set(value, name);
      return [];
    }
    return what === 'name'
      ? [aboutKey(['nodes', name], `is the name of ${first} but for capitals`, 'use another name')]
      : [aboutValue(['nodes', name, what], `${value} is ${first}'s`, 'give each node its own')];
  });
};

/** The sync link is a network of its own: what arrives there is neither filtered nor tracked. */
const syncComplaints = (config: Remains, name: string, sync: string): readonly Complaint[] =>
  Object.entries(config.interfaces ?? {}).flatMap(([device, { addresses }]) =>
    (addresses ?? [])
      .filter((shared) => shared !== undefined)
      .filter((shared) => overlap(shared, single(sync)))
      .slice(0, 1)
      .map((shared) =>
        aboutValue(
          ['nodes', name, 'sync'],
          `${sync} is within ${subnetText(shared)}, the network of ${device}`,
          'use an address of a network that only the sync link has',
        ),
      ),
  );

/** Other names of interfaces: of known ones, and no two interfaces the same device. */
const deviceComplaints = (
  config: Remains,
  name: string,
  devices: Readonly<Record<string, string>>,
): readonly Complaint[] => {
  const shared = Object.keys(config.interfaces ?? {});
  const known = [
    ...new Set(config.sync?.interface === undefined ? shared : [...shared, config.sync.interface]),
  ];
  const complete = config.interfaces !== undefined && config.sync?.interface !== undefined;
  const strangers = Object.keys(devices).filter((key) => complete && !known.includes(key));
  const users = new Map<string, string>();
  const doubles = known.flatMap((key): readonly Complaint[] => {
    const device = Object.hasOwn(devices, key) ? (devices[key] ?? key) : key;
    const other = users.get(device);
    users.set(device, key);
    const culprit = Object.hasOwn(devices, key) ? key : (other ?? key);
    return other === undefined
      ? []
      : [
          aboutValue(
            ['nodes', name, 'devices', culprit],
            `${device} would be both ${other} and ${key} on ${name}`,
            'give each interface a device of its own',
          ),
        ];
  });
  return [
    ...strangers.map((key) =>
      aboutKey(
        ['nodes', name, 'devices', key],
        'is no interface of this configuration',
        `use ${listed(known)}, and as its value the name on ${name}`,
      ),
    ),
    ...doubles,
  ];
};
