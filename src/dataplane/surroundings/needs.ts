import { type Family, familyOfText } from '../../cluster/address.ts';
import { contains, isLinkLocal, isSingle, parseSubnet, type Subnet } from '../../config/subnet.ts';
import { type ClusterConfig, deviceOf, type InterfaceConfig, type NodeConfig } from '../../config/types.ts';

/** An interface with what the cluster has there. */
export interface LegNeeds {
  readonly device: string;
  readonly side: InterfaceConfig['side'];
  /** Of what is shared there or behind it. */
  readonly families: ReadonlySet<Family>;
  /** The shared addresses with their prefix. */
  readonly shared: readonly Subnet[];
  /** What is to be reached out of it: the networks behind it, and the shared addresses' subnets where they aren't among those. */
  readonly prefixes: readonly Subnet[];
}

export const legsOf = (config: ClusterConfig, node: NodeConfig): readonly LegNeeds[] =>
  config.interfaces.map(({ name, side, addresses, networks }) => {
    const behind = networks.flatMap((text) => parseSubnet(text) ?? []);
    const own = addresses.filter(
      (subnet) =>
        !isLinkLocal(subnet.address) && !isSingle(subnet) && !behind.some((one) => contains(one, subnet)),
    );
    const known = [...addresses, ...behind].map(({ address }) => familyOfText(address));
    return {
      device: deviceOf(node, name),
      side,
      families: new Set(known),
      shared: addresses,
      prefixes: [...behind, ...own.filter((one, index) => !own.slice(0, index).some(isSubnet(one)))],
    };
  });

/** All addresses that the nodes share, so that none is a node's own. */
export const sharedAddresses = (config: ClusterConfig): ReadonlySet<string> =>
  new Set(
    config.interfaces.flatMap(({ addresses, snat }) => [...addresses.map(({ address }) => address), ...snat]),
  );

const isSubnet =
  (one: Subnet) =>
  (other: Subnet): boolean =>
    contains(one, other) && contains(other, one);
