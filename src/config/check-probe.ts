import { edgeProblem } from './addresses.ts';
import { aboutValue, type Complaint } from './complaint.ts';
import { listed } from './leaf.ts';
import { interfacesOf, isComplete, right } from './remaining.ts';
import type { Remains } from './schema.ts';
import { contains, isIpv4, type Subnet, single, subnetText } from './subnet.ts';

/** A probe is a neighbour: on the interface's own network, and not one of the cluster's own addresses. */
export const checkProbes = (config: Remains): readonly Complaint[] => {
  const interfaces = interfacesOf(config);
  const shared = interfaces.flatMap((one) => [
    ...right(one.addresses).map(({ address }) => address),
    ...right(one.snat),
  ]);
  return interfaces.flatMap(({ name, probe, addresses }): readonly Complaint[] => {
    const subnets = right(addresses).filter(({ address }) => isIpv4(address));
    // Where an address is wrong, the probe may be its neighbour.
    const complete = right(addresses).length > 0 && isComplete(addresses);
    const problem = probe === undefined ? undefined : problemOf(probe, name, subnets, shared, complete);
    return problem === undefined ? [] : [aboutValue(['interfaces', name, 'probe'], problem, mendOf(subnets))];
  });
};

const problemOf = (
  probe: string,
  name: string,
  subnets: readonly Subnet[],
  shared: readonly string[],
  complete: boolean,
): string | undefined => {
  if (shared.includes(probe)) {
    return `${probe} is an address that the nodes share, so each would ask itself`;
  }
  const around = subnets.filter((subnet) => contains(subnet, single(probe)));
  if (around.length === 0) {
    return complete ? `${probe} is in none of the networks of ${name}` : undefined;
  }
  const edge = around.map((subnet) => edgeProblem({ ...subnet, address: probe })).find((text) => text);
  return edge === undefined ? undefined : `${probe} is ${edge}`;
};

const mendOf = (subnets: readonly Subnet[]): string => {
  if (subnets.length === 0) {
    return 'leave it out: it has no IPv4 network';
  }
  const roomy = [...new Set(subnets.filter(({ prefix }) => prefix < 32).map(subnetText))];
  return roomy.length === 0
    ? 'leave it out: there is no neighbour in a /32'
    : `use the address of a host that is always there, such as a router, in ${listed(roomy)}`;
};
