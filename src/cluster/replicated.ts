import type { ClusterConfig } from '../config/types.ts';
import { type Address, type Family, familyOf, familyOfText, isConfined, parseAddress } from './address.ts';
import { AddressSet } from './address-set.ts';
import type { Flow } from './flow.ts';
import { PROTOCOL_NUMBERS } from './protocols.ts';

/**
 * Which flows conntrackd replicates: the counterpart of the filter that `render conntrackd` writes. Flows of the
 * firewall itself (from or to one of its addresses) are its own affair: they are neither compared nor removed. Neither are
 * flows of a family that the cluster has nothing of, though conntrackd, which can't tell the families apart, sends them.
 *
 * @param local the node's own addresses
 */
export const replicatedFlows = (
  config: ClusterConfig,
  local: readonly Address[],
): ((flow: Flow) => boolean) => {
  const protocols = new Set<number>(replicatedProtocols(config).map((name) => PROTOCOL_NUMBERS[name]));
  const families = familiesOf(config);
  const [ipv4, ipv6] = [families.has(4), families.has(6)];
  const firewalls = new AddressSet([
    ...local,
    ...config.nodes.map((node) => parseAddress(node.sync)),
    ...config.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => parseAddress(address))),
  ]);
  return ({ original, reply }) =>
    protocols.has(original.protocol) &&
    (familyOf(original.src) === 4 ? ipv4 : ipv6) &&
    !firewalls.has(original.src) &&
    !firewalls.has(reply.src) &&
    !isConfined(original.src) &&
    !isConfined(reply.src);
};

/** The protocols whose flows are replicated: with SNAT, the id of ICMP isn't, and the copy would answer to no one. */
export const replicatedProtocols = (config: ClusterConfig): readonly (keyof typeof PROTOCOL_NUMBERS)[] => {
  const families = familiesOf(config);
  const kept = (family: Family): boolean => families.has(family) && !hasSnat(config, family);
  return ['tcp', 'udp', ...(kept(4) ? (['icmp'] as const) : []), ...(kept(6) ? (['icmpv6'] as const) : [])];
};

/** Whether flows are translated anywhere, of that family if one is given. */
export const hasSnat = (config: ClusterConfig, family?: Family): boolean =>
  config.interfaces.some(({ snat }) =>
    snat.some((address) => family === undefined || familyOfText(address) === family),
  );

/** The families of which the cluster filters flows: those of what is configured for its interfaces. */
export const familiesOf = (config: ClusterConfig): ReadonlySet<Family> =>
  new Set(
    config.interfaces
      .flatMap(({ addresses, networks }) => [...addresses.map(({ address }) => address), ...networks])
      .map(familyOfText),
  );
