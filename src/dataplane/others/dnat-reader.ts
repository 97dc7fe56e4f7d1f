import { readFile } from 'node:fs/promises';
import type { NatChain } from '../../kernel/chain-message.ts';
import { Ruleset } from '../../kernel/ruleset.ts';
import type { TableRef } from '../../kernel/table-message.ts';
import { ProgramError, run } from '../../system/run.ts';
import { AGENT_TABLE, TABLE } from '../owned.ts';
import type { DestinationNat, Destinations } from './destination-nat.ts';
import { destinationsOfIptables } from './iptables-rules.ts';
import { destinationsOfNft } from './nft-rules.ts';

/** iptables-legacy's tables of this network namespace that are in use. */
const LEGACY: Readonly<Record<string, string>> = {
  iptables: '/proc/net/ip_tables_names',
  ip6tables: '/proc/net/ip6_tables_names',
};
/** Nobody tells of a change of iptables-legacy's rules. Milliseconds. */
const LEGACY_MS = 2000;

/** How other programs' rules translate destinations. The same object as long as nothing has changed. */
export interface Translations {
  readonly rules: readonly DestinationNat[];
  /** Of what that isn't known, or not wholly. */
  readonly unknown: readonly UnknownTable[];
}

interface UnknownTable {
  /** `table ip nat`, `iptables-legacy` */
  readonly table: string;
  readonly why: string;
}

/** Reads how other programs' rules translate destinations: whenever they may have changed. */
export class DnatReader {
  readonly #ruleset = new Ruleset();
  #generation: number | undefined;
  /** By the table's name. */
  #nft: ReadonlyMap<string, TableRead> = new Map();
  #legacy: readonly TableRead[] = [];
  #legacyAt = Number.NEGATIVE_INFINITY;
  #reads: readonly TableRead[] = [];
  #known: Translations = { rules: [], unknown: [] };

  /** Throws KernelError and what `Channel.request` throws. */
  async read(): Promise<Translations> {
    const generation = await this.#ruleset.generation();
    if (generation !== this.#generation) {
      this.#nft = await this.#readNft();
      // What couldn't be listed is tried again at the next look.
      this.#generation = [...this.#nft.values()].some(isFailed) ? undefined : generation;
    }
    if (performance.now() - this.#legacyAt >= LEGACY_MS) {
      this.#legacy = await readLegacy(this.#legacy);
      this.#legacyAt = performance.now();
    }
    this.#keep([...this.#nft.values(), ...this.#legacy]);
    return this.#known;
  }

  close(): void {
    this.#ruleset.close();
  }

  #keep(reads: readonly TableRead[]): void {
    const before = this.#reads;
    if (reads.length === before.length && reads.every((one, index) => one === before[index])) return;
    this.#reads = reads;
    this.#known = {
      rules: reads.flatMap(({ found }) => found),
      unknown: reads.flatMap(({ table, why }) => (why === undefined ? [] : [{ table, why }])),
    };
  }

  /** The generation is another one after each renewal of our own sets: programs run only for those of others' tables that have changed. */
  async #readNft(): Promise<ReadonlyMap<string, TableRead>> {
    const tables = tablesOf(await this.#ruleset.destinationNat());
    const { tables: imprints } = await this.#ruleset.imprint(tables, 'maps');
    const reads = await Promise.all(
      tables.map((table, index) => {
        const name = `table ${table.family} ${table.table}`;
        return again(this.#nft.get(name), name, imprints[index], () => readTable(table));
      }),
    );
    return new Map(reads.map((one) => [one.table, one]));
  }
}

/** What was read of a table when it was like that. */
interface TableRead {
  readonly table: string;
  /** What tells it from what it is like after a change; undefined: it couldn't be read. */
  readonly imprint: string | undefined;
  readonly found: readonly DestinationNat[];
  /** What isn't known, and why. */
  readonly why: string | undefined;
}

const TOO_MANY =
  'its chains lead to each other in too many ways to follow all of them: let fewer rules jump to chains that translate';

const isFailed = ({ imprint }: TableRead): boolean => imprint === undefined;

/** One that can't be read hides no other. */
const again = async (
  last: TableRead | undefined,
  table: string,
  imprint: string | undefined,
  read: () => Promise<Destinations>,
): Promise<TableRead> => {
  // It has gone meanwhile.
  if (imprint === undefined) return { table, imprint: '', found: [], why: undefined };
  if (last?.imprint === imprint) return last;
  try {
    const { found, isWhole } = await read();
    return { table, imprint, found, why: isWhole ? undefined : TOO_MANY };
  } catch (error) {
    return failed(last, table, error);
  }
};

const failed = (last: TableRead | undefined, table: string, error: unknown): TableRead => {
  const why = error instanceof Error ? error.message : String(error);
  return last !== undefined && isFailed(last) && last.why === why
    ? last
    : { table, imprint: undefined, found: [], why };
};

type Table = TableRef & { readonly family: 'inet' | 'ip' | 'ip6' };

const tablesOf = (chains: readonly NatChain[]): readonly Table[] => {
  const tables = chains.flatMap(({ family, table }): readonly Table[] =>
    table !== TABLE && table !== AGENT_TABLE && (family === 'inet' || family === 'ip' || family === 'ip6')
      ? [{ family, table }]
      : [],
  );
  return tables.filter(
    ({ family, table }, index) =>
      tables.findIndex((other) => other.family === family && other.table === table) === index,
  );
};

const readTable = async ({ family, table }: Table): Promise<Destinations> => {
  const program = family === 'ip6' ? 'ip6tables' : 'iptables';
  if (family !== 'inet' && table === 'nat') {
    // Where what iptables-nft has made isn't all that there is, it says so instead of listing it.
    const listing = await saved(`${program}-nft-save`).catch(() => '');
    if (listing.includes('*nat')) return destinationsOfIptables(listing, program);
  }
  return destinationsOfNft(await run('nft', ['-j', 'list', 'table', family, table]));
};

/** What a listing says stays what was made of it before, unless it says something else: it is its own imprint. */
const readLegacy = async (before: readonly TableRead[]): Promise<readonly TableRead[]> => {
  const found = await Promise.all(
    Object.entries(LEGACY).map(async ([program, file]): Promise<readonly TableRead[]> => {
      const names = await readFile(file, 'utf8').catch(() => '');
      if (!names.split('\n').includes('nat')) return [];
      const table = `${program}-legacy`;
      const last = before.find((one) => one.table === table);
      try {
        const listing = rulesIn(await savedByEither(program));
        return [await again(last, table, listing, async () => destinationsOfIptables(listing, table))];
      } catch (error) {
        return [failed(last, table, error)];
      }
    }),
  );
  return found.flat();
};

/** Without the comment that has the time, and the chains with their counters. */
const rulesIn = (listing: string): string =>
  listing
    .split('\n')
    .filter((line) => line.startsWith('-A'))
    .join('\n');

/** Where there is only one variant its programs have no second name. */
const savedByEither = async (program: string): Promise<string> => {
  try {
    return await saved(`${program}-legacy-save`);
  } catch (error) {
    if (error instanceof ProgramError && error.failure === 'missing') return saved(`${program}-save`);
    throw error;
  }
};

const saved = (program: string): Promise<string> => run(program, ['-t', 'nat']);
