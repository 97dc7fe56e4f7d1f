import {
  addressText,
  type Family,
  familyOfText,
  isConfined,
  isWithin,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../cluster/address.ts';
import { isSingle, parseSubnet, type Subnet } from '../../config/subnet.ts';
import { type ClusterConfig, deviceOf, type InterfaceConfig, type NodeConfig } from '../../config/types.ts';
import { hostsOf } from './hosts.ts';

/** What the cluster needs of a node's machine, made ready for being compared with it every second. */
export interface Needs {
  readonly node: NodeConfig;
  readonly syncDevice: string;
  readonly legs: readonly LegNeeds[];
  /** All addresses that the nodes share, so that none is a node's own. */
  readonly shared: ReadonlySet<string>;
}

/** An interface with what the cluster has there. */
export interface LegNeeds {
  readonly device: string;
  readonly side: InterfaceConfig['side'];
  /** Of what is shared there or behind it. */
  readonly families: ReadonlySet<Family>;
  /** The shared addresses; without the link-local ones. */
  readonly shared: readonly SharedAddress[];
  /** What is to be reached out of it: the networks behind it, and the shared addresses' subnets where they aren't among those. */
  readonly prefixes: readonly Prefix[];
}

export interface SharedAddress {
  readonly address: string;
  readonly subnet: Network;
}

export interface Prefix {
  /** 10.0.0.0/8 */
  readonly text: string;
  readonly network: Network;
  /** Some addresses in it, of which each stands for all. */
  readonly hosts: Iterable<string>;
  /** Shared addresses whose subnet holds it: while one is there, so is a route. */
  readonly broughtBy: readonly string[];
}

export const needsOf = (config: ClusterConfig, node: NodeConfig): Needs => ({
  node,
  syncDevice: deviceOf(node, config.sync.interface),
  legs: config.interfaces.map((one) => legOf(node, one)),
  shared: new Set(
    config.interfaces.flatMap(({ addresses, snat }) => [...addresses.map(({ address }) => address), ...snat]),
  ),
});

const legOf = (node: NodeConfig, { name, side, addresses, networks }: InterfaceConfig): LegNeeds => {
  const shared = addresses
    // What is no subnet is for the kernel to refuse.
    .flatMap(({ address, prefix }) => parseSubnet(`${address}/${prefix}`) ?? [])
    .filter(({ address }) => !isConfined(parseAddress(address)))
    .map((subnet) => ({ address: subnet.address, subnet: networkOf(subnet), single: isSingle(subnet) }));
  const behind = networks.map(parseNetwork);
  const subnets = shared
    .filter(({ subnet, single }) => !single && !behind.some((one) => isWithin(subnet, one)))
    .map(({ subnet }) => subnet);
  const texts = [...networks, ...subnets.map(networkText)];
  return {
    device: deviceOf(node, name),
    side,
    families: new Set([...addresses.map(({ address }) => address), ...networks].map(familyOfText)),
    shared,
    prefixes: [...new Set(texts)].map((text) => prefixOf(text, shared)),
  };
};

const prefixOf = (text: string, shared: readonly SharedAddress[]): Prefix => {
  const network = parseNetwork(text);
  const broughtBy = shared.filter(({ subnet }) => isWithin(network, subnet)).map(({ address }) => address);
  // Those of a shared address's subnet say nothing of a larger prefix around it.
  const near = broughtBy.length > 0 ? [] : shared.map(({ subnet }) => subnet);
  return { text, network, hosts: hostsOf(text, near), broughtBy };
};

const networkOf = ({ address, prefix }: Subnet): Network => parseNetwork(`${address}/${prefix}`);

/** `192.168.0.0/24` */
export const networkText = ({ address, prefix }: Network): string => `${addressText(address)}/${prefix}`;
