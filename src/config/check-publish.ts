import { aboutKey, aboutValue, type Complaint, type KeyPath, show } from './complaint.ts';
import { listed } from './leaf.ts';
import { portsMeet, portsText } from './ports.ts';
import { type Interface, interfacesOf, isComplete, networksOf, right } from './remaining.ts';
import type { Remains } from './schema.ts';
import { contains, familyOf, isLinkLocal, single, subnetText } from './subnet.ts';
import type { Ports } from './types.ts';

/** Published services: servers inside, addresses that clients reach, ports that nobody else has. */
export const checkPublish = (config: Remains, isFaulty: (path: KeyPath) => boolean): readonly Complaint[] => {
  const services = Object.entries(config.publish ?? {}).map(([name, one]) => ({ name, ...one }));
  const place = placeOf(interfacesOf(config), isFaulty);
  return services.flatMap((one, index) => {
    const before = services.slice(0, index);
    return [
      ...nameComplaints(one),
      ...serverComplaints(one, place),
      ...addressComplaints(one, place),
      ...bucketPorts(one, place),
      ...toPortComplaints(one, isFaulty),
      ...taken(one, before),
    ];
  });
};

type Service = { readonly name: string } & NonNullable<Remains['publish']>[string];

/** What the interfaces say of where a service can be. */
interface Place {
  /** Whether nothing of that is wrong; else what is missing here may be there all the same. */
  readonly complete: boolean;
  readonly inside: readonly string[];
  readonly translated: readonly string[];
  readonly shared: readonly string[];
  readonly isInside: (address: string) => boolean;
}

const placeOf = (interfaces: readonly Interface[], isFaulty: (path: KeyPath) => boolean): Place => {
  const networks = interfaces.filter(({ side }) => side === 'inside').flatMap(networksOf);
  const translated = interfaces.flatMap(({ snat }) => right(snat));
  const addresses = interfaces.flatMap((one) => right(one.addresses).map(({ address }) => address));
  return {
    complete: interfaces.length > 0 && interfaces.every((one) => isKnown(one, isFaulty)),
    inside: networks.map(subnetText),
    translated,
    shared: [...new Set([...addresses, ...translated])],
    isInside: (address) => networks.some((network) => contains(network, single(address))),
  };
};

const isKnown = (
  { name, addresses, networks = [], snat = [] }: Interface,
  isFaulty: (path: KeyPath) => boolean,
): boolean =>
  [addresses, networks, snat].every(isComplete) &&
  ['side', 'networks', 'snat'].every((key) => !isFaulty(['interfaces', name, key]));

const nameComplaints = ({ name }: Service): readonly Complaint[] =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)
    ? []
    : [
        aboutKey(
          ['publish', name],
          `${show(name)} can't name a service`,
          'use letters, digits and . _ -, at most 63, such as web',
        ),
      ];

const serverComplaints = ({ name, to }: Service, place: Place): readonly Complaint[] => {
  const path = ['publish', name, 'to'];
  if (to === undefined) {
    return [];
  }
  if (place.shared.includes(to)) {
    return [aboutValue(path, `${to} is an address that the nodes share`, "use the server's own address")];
  }
  return place.isInside(to) || !place.complete
    ? []
    : [
        aboutValue(
          path,
          `${to} is in none of the networks inside`,
          place.inside.length === 0
            ? "name the server's network in networks of an inside interface"
            : `use an address in ${listed(place.inside)}, or add the server's network to networks`,
        ),
      ];
};

const addressComplaints = ({ name, address, to }: Service, place: Place): readonly Complaint[] => {
  const path = ['publish', name, 'address'];
  if (address === undefined) {
    return [];
  }
  const family = familyOf(to ?? address);
  const usable = place.shared.filter((one) => familyOf(one) === family && !isLinkLocal(one));
  const mend = usable.length === 0 ? `give an interface an ${family} address` : `use ${listed(usable)}`;
  if (familyOf(address) !== family) {
    return [
      aboutValue(path, `${address} is an ${familyOf(address)} address, and to is an ${family} one`, mend),
    ];
  }
  return place.shared.includes(address) || !place.complete
    ? []
    : [aboutValue(path, `${address} is no shared address, so its packets don't come here`, mend)];
};

/** Replies to translated flows come to these ports: which bucket they are for is told by the port alone. */
const bucketPorts = ({ name, address, port }: Service, place: Place): readonly Complaint[] =>
  address === undefined ||
  port === undefined ||
  port.last < FIRST_OF_BUCKETS ||
  !place.translated.includes(address)
    ? []
    : [
        aboutValue(
          ['publish', name, 'port'],
          `${portsText(port)}: ports from ${FIRST_OF_BUCKETS} up of an address that flows are translated to belong to the buckets`,
          `use a port below ${FIRST_OF_BUCKETS}, or another address than ${address}`,
        ),
      ];

const FIRST_OF_BUCKETS = 1024;

const toPortComplaints = (
  { name, address, port, toPort }: Service,
  isFaulty: (path: KeyPath) => boolean,
): readonly Complaint[] => {
  const path = ['publish', name, 'toPort'];
  if (toPort === undefined) {
    return [];
  }
  if (address === undefined) {
    return isFaulty(['publish', name, 'address'])
      ? []
      : [
          aboutKey(
            path,
            'needs an address: without one nothing is translated',
            'leave it out, or name the address that clients connect to',
          ),
        ];
  }
  const same = port === undefined || (port.first === toPort.first && port.last === toPort.last);
  return same || (isOne(port) && isOne(toPort))
    ? []
    : [
        aboutValue(
          path,
          `${portsText(toPort)} is not the range of port, ${portsText(port)}, and the kernel doesn't map one range to another port by port`,
          'leave it out, or publish each port by itself',
        ),
      ];
};

const isOne = ({ first, last }: Ports): boolean => first === last;

/** The same port of the same address or server twice. */
const taken = (one: Service, before: readonly Service[]): readonly Complaint[] => {
  const path = ['publish', one.name];
  const front = before.find((other) => meet(frontOf(one), frontOf(other)));
  if (front !== undefined) {
    return [alreadyTaken([...path, 'port'], frontOf(front), front.name)];
  }
  const back = before.find((other) => meet(backOf(one), backOf(other)));
  return back === undefined
    ? []
    : [alreadyTaken([...path, one.toPort === undefined ? 'port' : 'toPort'], backOf(back), back.name)];
};

const alreadyTaken = (path: KeyPath, { address, protocol, ports }: End, name: string): Complaint =>
  aboutValue(
    path,
    `${protocol} ${ports === undefined ? '' : portsText(ports)} of ${address} is ${name}'s already`,
    'publish it once',
  );

interface End {
  readonly address: string | undefined;
  readonly protocol: string | undefined;
  readonly ports: Ports | undefined;
}

/** Where clients connect to. */
const frontOf = ({ address, to, protocol, port }: Service): End => ({
  address: address ?? to,
  protocol,
  ports: port,
});

const backOf = ({ to, protocol, port, toPort }: Service): End => ({
  address: to,
  protocol,
  ports: toPort ?? port,
});

const meet = (one: End, other: End): boolean =>
  one.address !== undefined &&
  one.address === other.address &&
  one.protocol !== undefined &&
  one.protocol === other.protocol &&
  one.ports !== undefined &&
  other.ports !== undefined &&
  portsMeet(one.ports, other.ports);
