import { type Imprint, Ruleset } from '../kernel/ruleset.ts';
import { FAMILIES, TABLE } from './owned.ts';
import { loadTables } from './tables.ts';

/** What our tables are like, by `family name`; one that isn't there is missing. */
export type TablesImprint = Readonly<Record<string, string>>;

/** Another program may change rules while ours are being loaded: then it isn't known whether it has changed ours. */
const ATTEMPTS = 5;

const OURS = FAMILIES.map((family) => ({ family, table: TABLE }));

/** What our tables are like now. Throws NetlinkConflictError, KernelError. */
export const imprintNow = async (ruleset: Ruleset): Promise<TablesImprint> =>
  byName(await ruleset.imprint(OURS));

/** Loads a file of rules, and tells what our tables are like with it and nothing else. Throws ProgramError, KernelError. */
export const loadAndImprint = async (rules: string): Promise<TablesImprint> => {
  const ruleset = new Ruleset();
  try {
    for (let attempt = 1; ; attempt += 1) {
      const before = await ruleset.generation();
      await loadTables(rules);
      const after = await ruleset.imprint(OURS);
      // A load is one transaction.
      if (after.generation === (before + 1) >>> 0 || attempt === ATTEMPTS) {
        return byName(after);
      }
    }
  } finally {
    ruleset.close();
  }
};

/** What has happened to our tables, in a few words; undefined: nothing. */
export const damageOf = (loaded: TablesImprint, now: TablesImprint): string | undefined => {
  const names = OURS.map(nameOf);
  const gone = names.filter((name) => now[name] === undefined);
  const changed = names.filter((name) => now[name] !== undefined && now[name] !== loaded[name]);
  return gone.length + changed.length === 0
    ? undefined
    : [
        ...(gone.length === 0 ? [] : [`${tablesText(gone)} removed`]),
        ...(changed.length === 0 ? [] : [`${tablesText(changed)} changed`]),
      ].join(', ');
};

/**
 * Whether that may all be an interface's doing that is gone or was made again: its chains went along, as before Linux 6.16
 * (nft_netdev_event() in net/netfilter/nft_chain_filter.c).
 */
export const mayBeInterfaces = (loaded: TablesImprint, now: TablesImprint): boolean =>
  OURS.map(nameOf).every(
    (name) => now[name] !== undefined && (now[name] === loaded[name] || name === `netdev ${TABLE}`),
  );

const byName = ({ tables }: Imprint): TablesImprint =>
  Object.fromEntries(
    OURS.flatMap((ref, index) => {
      const text = tables[index];
      return text === undefined ? [] : [[nameOf(ref), text] as const];
    }),
  );

const nameOf = ({ family, table }: (typeof OURS)[number]): string => `${family} ${table}`;

const tablesText = (names: readonly string[]): string =>
  names.length === 1 ? `table ${names[0]} was` : `tables ${names.join(' and ')} were`;
