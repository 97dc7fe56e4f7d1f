import type { Share } from '../../cluster/ranges.ts';
import type { ClusterConfig, PublishedService } from '../../config/types.ts';
import type { Leg, Plan } from '../plan.ts';
import { cluster, portsText } from './expressions.ts';
import { CHAIN, type Table } from './names.ts';

/** Translation: each bucket into ports of its own, and published services to their servers; undefined without either. */
export const natTable = (plan: Plan): Table | undefined => {
  const translating = plan.legs.filter(({ snat }) => snat.length > 0);
  const published = plan.services.flatMap((service) => publish(plan, service));
  if (translating.length + published.length === 0) return undefined;
  const reflected = plan.legs.flatMap((leg) => reflect(plan, leg));
  const byBucket = plan.legs.flatMap(({ reflecting }) => reflecting.flatMap((share) => toShare(plan, share)));
  return {
    name: 'nat',
    chains: [
      { name: CHAIN.dnat, rules: published },
      {
        name: CHAIN.snat,
        rules: [LOCAL, ...reflected, ...translating.flatMap((leg) => translate(plan, leg))],
      },
      ...(byBucket.length === 0 ? [] : [{ name: CHAIN.reflect, rules: byBucket }]),
    ],
  };
};

/** Whether there is such a table. */
export const translates = ({ interfaces, publish: services }: ClusterConfig): boolean =>
  interfaces.some(({ snat }) => snat.length > 0) || services.some(({ address }) => address !== undefined);

/** What the firewall itself begins keeps its address and port. */
const LOCAL = '-m addrtype --src-type LOCAL -j RETURN';

/** Of clients that are behind the server's own interface: a chain of POSTROUTING can't ask by which a packet came. */
const reflect = ({ services }: Plan, { device, networks, reflecting }: Leg): readonly string[] =>
  reflecting.length === 0
    ? []
    : services.flatMap(({ protocol, address, to, toPorts }) =>
        address === undefined
          ? []
          : networks.ip.map(
              (network) =>
                `-s ${network} -d ${to} -o ${device} -p ${protocol} --dport ${portsText(toPorts)} -m conntrack --ctstate DNAT --ctorigdst ${address} -g ${CHAIN.reflect}`,
            ),
      );

const toShare = (plan: Plan, { bucket, address, first, last }: Share): readonly string[] =>
  ['tcp', 'udp'].map(
    (protocol) => `-p ${protocol} ${cluster(plan, bucket)} -j SNAT --to-source ${address}:${first}-${last}`,
  );

/** Of ICMP the range is one of ids. */
const translate = (plan: Plan, { device, snat }: Leg): readonly string[] =>
  ['tcp', 'udp', 'icmp'].flatMap((protocol) =>
    snat.map(
      ({ bucket, address, first, last }) =>
        `-o ${device} -p ${protocol} ${cluster(plan, bucket)} -j SNAT --to-source ${address}:${first}-${last}`,
    ),
  );

const publish = (
  { legs }: Plan,
  { protocol, address, ports, to, toPorts }: PublishedService,
): readonly string[] => {
  if (address === undefined) return [];
  // A range keeps its ports: the kernel would choose any of the range for each.
  const target = toPorts.first === toPorts.last ? `${to}:${toPorts.first}` : to;
  return legs.map(
    ({ device }) =>
      `-i ${device} -d ${address} -p ${protocol} --dport ${portsText(ports)} -j DNAT --to-destination ${target}`,
  );
};
