import { readFile } from 'node:fs/promises';
import type { NatChain } from '../../kernel/chain-message.ts';
import { Ruleset } from '../../kernel/ruleset.ts';
import type { TableRef } from '../../kernel/table-message.ts';
import { ProgramError, run } from '../../system/run.ts';
import { AGENT_TABLE, TABLE } from '../owned.ts';
import type { DestinationNat } from './destination-nat.ts';
import { destinationsOfIptables } from './iptables-rules.ts';
import { destinationsOfNft } from './nft-rules.ts';

/** iptables-legacy's tables of this network namespace that are in use. */
const LEGACY: Readonly<Record<string, string>> = {
  iptables: '/proc/net/ip_tables_names',
  ip6tables: '/proc/net/ip6_tables_names',
};
/** Nobody tells of a change of iptables-legacy's rules. Milliseconds. */
const LEGACY_MS = 2000;

/** Reads how other programs' rules translate destinations: whenever they may have changed. */
export class DnatReader {
  readonly #ruleset = new Ruleset();
  #generation: number | undefined;
  #imprint = '';
  #nft: readonly DestinationNat[] = [];
  #legacy: readonly DestinationNat[] = [];
  #legacyAt = Number.NEGATIVE_INFINITY;

  /** Throws KernelError, ProgramError, and what reading a listing throws. */
  async read(): Promise<readonly DestinationNat[]> {
    const generation = await this.#ruleset.generation();
    if (generation !== this.#generation) {
      await this.#readNft();
      this.#generation = generation;
    }
    if (performance.now() - this.#legacyAt >= LEGACY_MS) {
      this.#legacy = await readLegacy();
      this.#legacyAt = performance.now();
    }
    return [...this.#nft, ...this.#legacy];
  }

  close(): void {
    this.#ruleset.close();
  }

  /** The generation is another one after each renewal of our own sets: programs run only if others' tables have changed. */
  async #readNft(): Promise<void> {
    const tables = tablesOf(await this.#ruleset.destinationNat());
    const { tables: texts } = await this.#ruleset.imprint(tables);
    const imprint = tables.map(({ family, table }, index) => `${family} ${table} ${texts[index]}`).join('\n');
    if (imprint === this.#imprint) return;
    this.#nft = (await Promise.all(tables.map(readTable))).flat();
    this.#imprint = imprint;
  }
}

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

const readTable = async ({ family, table }: Table): Promise<readonly DestinationNat[]> => {
  const program = family === 'ip6' ? 'ip6tables' : 'iptables';
  if (family !== 'inet' && table === 'nat') {
    // Where what iptables-nft has made isn't all that there is, it says so instead of listing it.
    const listing = await saved(`${program}-nft-save`).catch(() => '');
    if (listing.includes('*nat')) return destinationsOfIptables(listing, program);
  }
  return destinationsOfNft(await run('nft', ['-j', 'list', 'table', family, table]));
};

const readLegacy = async (): Promise<readonly DestinationNat[]> => {
  const found = await Promise.all(
    Object.entries(LEGACY).map(async ([program, file]) => {
      const names = await readFile(file, 'utf8').catch(() => '');
      if (!names.split('\n').includes('nat')) return [];
      return destinationsOfIptables(await savedByEither(program), `${program}-legacy`);
    }),
  );
  return found.flat();
};

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
