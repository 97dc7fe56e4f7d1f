import type { ClusterConfig } from '../config/types.ts';
import { familyOfText } from './address.ts';
import { groupsOf } from './groups.ts';
import { sharesOf } from './ranges.ts';

/** How many connections at a time SNAT on an interface can hold to one address and port of a protocol. */
export interface Capacity {
  /** The interface, and the family if it translates both. */
  readonly where: string;
  /** The ports of the bucket that has fewest. */
  readonly least: number;
  /** The ports of the bucket that has most. */
  readonly most: number;
  /** Whether buckets of a group have the same ports of the same address. */
  readonly shared: boolean;
  /** The ports of all addresses that are used. */
  readonly all: number;
}

/** Of each interface with SNAT, and each family that it translates. */
export const capacitiesOf = (
  config: Pick<ClusterConfig, 'nodes' | 'buckets' | 'interfaces'>,
): readonly Capacity[] => {
  const groups = groupsOf(config);
  return config.interfaces.flatMap(({ name, snat }) => {
    const families = ([4, 6] as const)
      .map((family) => ({
        family: `IPv${family}`,
        addresses: snat.filter((address) => familyOfText(address) === family),
      }))
      .filter(({ addresses }) => addresses.length > 0);
    return families.map(({ family, addresses }) => {
      const shares = sharesOf(addresses, groups, config.buckets);
      const sizes = shares.map(portsOf);
      const distinct = new Map(shares.map((share) => [`${share.address} ${share.first}`, portsOf(share)]));
      return {
        where: families.length > 1 ? `${name} (${family})` : name,
        least: Math.min(...sizes),
        most: Math.max(...sizes),
        shared: distinct.size < shares.length,
        all: [...distinct.values()].reduce((sum, ports) => sum + ports, 0),
      };
    });
  });
};

const portsOf = ({ first, last }: { readonly first: number; readonly last: number }): number =>
  last - first + 1;

/** `snat on eth2: each bucket has 1008 ports, so at most 1008 connections at a time to one address and port ...` */
export const capacityText = ({ where, least, most, shared, all }: Capacity): string => {
  const ports = least === most ? `${least}` : `${least} to ${most}`;
  const together = shared ? ' together with others of its group' : '';
  return `snat on ${where}: each bucket has ${ports} ports${together}, so at most ${ports} connections at a time to one address and port of a protocol; ${all} in all`;
};

/** What to do about a capacity that clients of one busy server would use up; undefined if it suffices. */
export const shortageText = (capacity: Capacity): string | undefined =>
  capacity.least < FEW
    ? `${capacityText(capacity)}; fewer buckets or more snat addresses would leave each more`
    : undefined;

const FEW = 128;
