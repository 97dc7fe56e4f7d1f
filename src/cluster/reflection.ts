import type { ClusterConfig, InterfaceConfig, PublishedService } from '../config/types.ts';
import { type Family, familyOfText, inNetworks, isConfined, parseAddress, parseNetwork } from './address.ts';
import { groupsOf } from './groups.ts';
import { type Share, sharesOfFamilies } from './ranges.ts';

/**
 * What each bucket's flows are translated to that come in from a client behind `leg`, to an address that is published, and leave to
 * their server behind the same leg: the server would else answer the client without the firewall. One of the leg's own shared addresses
 * of the family, its ports shared out to the buckets. None of a family without such a server; none either without such an address:
 * those flows are dropped.
 */
export const reflectingShares = (config: ClusterConfig, leg: InterfaceConfig): readonly Share[] => {
  const addresses = ([4, 6] as const).flatMap((family) => reflectingAddress(config, leg, family) ?? []);
  return sharesOfFamilies(addresses, groupsOf(config), config.buckets);
};

/** The published services, of those that are translated, whose server is behind the leg. */
export const reflectedServices = (
  { publish }: Pick<ClusterConfig, 'publish'>,
  { networks }: Pick<InterfaceConfig, 'networks'>,
): readonly PublishedService[] => {
  const behind = networks.map(parseNetwork);
  return publish.filter(({ address, to }) => address !== undefined && inNetworks(parseAddress(to), behind));
};

/** Best one of the server's own subnet: it answers that whatever its routes are. */
const reflectingAddress = (
  config: ClusterConfig,
  leg: InterfaceConfig,
  family: Family,
): string | undefined => {
  const servers = reflectedServices(config, leg)
    .map(({ to }) => to)
    .filter((to) => familyOfText(to) === family)
    .map(parseAddress);
  if (servers.length === 0) return undefined;
  const usable = leg.addresses.filter(
    ({ address }) => familyOfText(address) === family && !isConfined(parseAddress(address)),
  );
  const near = usable.find(({ address, prefix }) => {
    const subnet = [parseNetwork(`${address}/${prefix}`)];
    return servers.every((server) => inNetworks(server, subnet));
  });
  return (near ?? usable[0])?.address;
};
