import { FAMILIES, TABLE } from '../dataplane/owned.ts';
import { type Entry, entryOf, type Section } from './report.ts';
import { runAnywhere } from './report-versions.ts';

/** The tables of the data plane as the kernel has them, with their counters. */
export const rulesSection = async (): Promise<Section> => ({
  title: 'Loaded rules',
  entries: await Promise.all(
    FAMILIES.map((family) => entryOf(`table ${family} ${TABLE}`, () => listed(family))),
  ),
});

const listed = (family: string): Promise<string> => runAnywhere('nft', ['list', 'table', family, TABLE]);

/** The comments of the two rules that every packet of the cluster ends at, one of them (netdev-table.ts). */
const COUNTED = [
  ['packets filtered', 'filtered by this node'],
  ['packets foreign', 'another node filters these'],
] as const;

/** How many packets of the cluster this node has filtered, and how many it has left to others. */
export const packetEntries = async (): Promise<readonly Entry[]> => {
  const read = await entryOf('packets', () => listed('netdev'));
  return read.text.startsWith('not read: ')
    ? [read]
    : COUNTED.map(([label, comment]) => ({ label, text: countOf(read.text, comment) }));
};

/** Packets that rules with this comment have counted, as `nft list` prints them: of all of them. */
export const countOf = (listing: string, comment: string): string => {
  const lines = listing.split('\n').filter((line) => line.includes(`comment "${comment}"`));
  const counts = lines.map((line) => /\bcounter packets (\d+)/.exec(line)?.[1]);
  return counts.length === 0 || counts.includes(undefined)
    ? "not read: the loaded rules have no such counter; they are another version's"
    : String(counts.reduce((sum, one) => sum + BigInt(one ?? 0), 0n));
};
