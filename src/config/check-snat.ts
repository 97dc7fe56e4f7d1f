import { aboutKey, aboutValue, type Complaint } from './complaint.ts';
import { type Interface, indexed, interfacesOf, isComplete, networksOf, subnetsOf } from './remaining.ts';
import type { Remains } from './schema.ts';
import { contains, familyOf, single, subnetText } from './subnet.ts';

/** SNAT: only outside, addresses that no other interface has, and ones whose packets come to this interface. */
export const checkSnat = (config: Remains): readonly Complaint[] => {
  const interfaces = interfacesOf(config);
  return interfaces.flatMap((one, position): readonly Complaint[] => {
    const path = ['interfaces', one.name, 'snat'];
    if (one.side === 'inside' && one.snat !== undefined && one.snat.length > 0) {
      return [
        aboutKey(path, 'is for the outside interface: flows are translated as they leave', 'move it there'),
      ];
    }
    return indexed(one.snat).flatMap(([address, index]) => {
      const found =
        usedBefore(address, one, index, interfaces.slice(0, position)) ??
        placeProblem(address, one, interfaces, config);
      return found === undefined ? [] : [aboutValue([...path, index], found.problem, found.mend)];
    });
  });
};

interface Problem {
  readonly problem: string;
  readonly mend: string;
}

const usedBefore = (
  address: string,
  one: Interface,
  index: number,
  before: readonly Interface[],
): Problem | undefined => {
  if (indexed(one.snat).some(([other, at]) => other === address && at < index)) {
    return { problem: `${address} is there twice`, mend: 'keep one of them' };
  }
  const other = before.find(({ side, snat }) => side === 'outside' && snat?.includes(address) === true);
  return other === undefined
    ? undefined
    : {
        problem: `${other.name} translates to ${address} too, so replies would come to one of the two for both`,
        mend: 'give each interface its own',
      };
};

const placeProblem = (
  address: string,
  one: Interface,
  interfaces: readonly Interface[],
  config: Remains,
): Problem | undefined => {
  const own = subnetsOf(one);
  const like = own.find((subnet) => familyOf(subnet.address) === familyOf(address));
  const mend = like === undefined ? 'use an address of this interface' : `use ${like.address}`;
  const node = Object.entries(config.nodes ?? {}).find(([, { sync }]) => sync === address);
  if (node !== undefined) {
    return { problem: `${address} is the sync address of ${node[0]}`, mend };
  }
  if (own.some((candidate) => candidate.address === address)) {
    return undefined;
  }
  const other = interfaces.find(
    (candidate) =>
      candidate !== one &&
      [...subnetsOf(candidate), ...networksOf(candidate)].some((subnet) => contains(subnet, single(address))),
  );
  if (other !== undefined) {
    const where = other.side === 'inside' ? 'inside, behind' : 'behind';
    return { problem: `${address} is ${where} ${other.name}`, mend };
  }
  const subnet = own.find((candidate) => contains(candidate, single(address)));
  const question = familyOf(address) === 'IPv4' ? 'ARP' : 'neighbour solicitations';
  return subnet !== undefined && isComplete(one.addresses)
    ? {
        problem: `${address} is in ${subnetText(subnet)} but not among the addresses of ${one.name}, so nobody would answer ${question} for it`,
        mend: `add ${address}/${subnet.prefix} to addresses, or ${mend}`,
      }
    : undefined;
};
