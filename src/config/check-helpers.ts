import { aboutValue, type Complaint } from './complaint.ts';
import { interfacesOf, isComplete, right } from './remaining.ts';
import type { Remains } from './schema.ts';
import { familyOf } from './subnet.ts';

/**
 * Helpers: none twice, and with SNAT an address for each group. The kernel takes any port for a connection that a helper
 * expects (nf_nat_follow_master, nf_nat_exp_find_port in net/netfilter/nf_nat_helper.c), so only the address can keep two
 * nodes apart.
 */
export const checkHelpers = (config: Remains): readonly Complaint[] => [
  ...twice(config),
  ...(right(config.helpers).length > 0 ? tooFew(config) : []),
];

const twice = ({ helpers = [] }: Remains): readonly Complaint[] =>
  helpers.flatMap((name, index) =>
    name === undefined || helpers.indexOf(name) === index
      ? []
      : [aboutValue(['helpers', index], `${name} is there twice`, 'keep one of them')],
  );

const tooFew = (config: Remains): readonly Complaint[] => {
  const nodes = Object.keys(config.nodes ?? {}).length;
  const groups = nodes * (nodes - 1);
  return interfacesOf(config)
    .filter(({ side, snat }) => side === 'outside' && isComplete(snat))
    .flatMap(({ name, snat }) =>
      (['IPv4', 'IPv6'] as const)
        .map((family) => ({ family, count: right(snat).filter((one) => familyOf(one) === family).length }))
        .filter(({ count }) => count > 0 && count < groups)
        .map(({ family, count }) =>
          aboutValue(
            ['helpers'],
            `need an address for each group where flows are translated, and ${name} has ${count} of ${family} for ${groups} groups: the kernel chooses the ports of expected connections without regard to the buckets' ranges, so two nodes could choose the same`,
            `name ${groups} ${family} addresses in snat of ${name}, or leave helpers out`,
          ),
        ),
    );
};
