import { JUMPS, type Jump, type Table } from './names.ts';
import type { Present } from './present.ts';

/**
 * The section of a table for `iptables-restore --noflush`: it makes our chains, or empties them, fills them, and has the
 * kernel's lead to them before anybody else's rules. All of a table comes into force at once; nothing else of it changes.
 */
export const loading = ({ name, chains }: Table, present: Present): string =>
  section(name, [
    ...chains.map((chain) => `:${chain.name} - [0:0]`),
    ...chains.flatMap((chain) => chain.rules.map((rule) => `-A ${chain.name} ${rule}`)),
    ...present.jumps(name).map(deletion),
    ...JUMPS[name].map(({ from, to }) => `-I ${from} 1 -j ${to}`),
    // Of another configuration, or another version.
    ...removals(present.chains(name).filter((old) => chains.every((chain) => chain.name !== old))),
  ]);

/** The section that takes our chains out of a table; none if there is nothing of ours. */
export const removing = (name: Table['name'], present: Present): string => {
  const chains = present.chains(name);
  const jumps = present.jumps(name);
  return chains.length + jumps.length === 0
    ? ''
    : section(name, [...jumps.map(deletion), ...removals(chains)]);
};

/** The section that replaces the rules of one chain that is there. */
export const refilling = (
  table: Table['name'],
  { name, rules }: { readonly name: string; readonly rules: readonly string[] },
): string => section(table, [`:${name} - [0:0]`, ...rules.map((rule) => `-A ${name} ${rule}`)]);

/** They lead to each other: first all are emptied. */
const removals = (chains: readonly string[]): readonly string[] => [
  ...chains.map((chain) => `-F ${chain}`),
  ...chains.map((chain) => `-X ${chain}`),
];

const deletion = ({ from, to }: Jump): string => `-D ${from} -j ${to}`;

const section = (table: string, lines: readonly string[]): string =>
  [`*${table}`, ...lines, 'COMMIT', ''].join('\n');
