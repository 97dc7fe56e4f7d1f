import { type Jump, PREFIX, TABLES, type TableName } from './names.ts';

/** What of ours stands in a listing of `iptables-save`. */
export interface Present {
  readonly chains: (table: TableName) => readonly string[];
  /** One that is there twice is listed twice. */
  readonly jumps: (table: TableName) => readonly Jump[];
}

export const NOTHING: Present = { chains: () => [], jumps: () => [] };

export const parsePresent = (listing: string): Present => {
  const tables = new Map<string, Ours>(TABLES.map((name) => [name, { chains: [], jumps: [] }]));
  let table: Ours | undefined;
  for (const line of listing.split('\n')) {
    const name = /^\*(\w+)/.exec(line)?.[1];
    if (name !== undefined) table = tables.get(name);
    const chain = CHAIN_LINE.exec(line)?.[1];
    if (chain !== undefined) table?.chains.push(chain);
    const [, from = '', to = ''] = JUMP_LINE.exec(line) ?? [];
    if (to !== '' && !from.startsWith(PREFIX)) table?.jumps.push({ from, to });
  }
  return {
    chains: (name) => tables.get(name)?.chains ?? [],
    jumps: (name) => tables.get(name)?.jumps ?? [],
  };
};

interface Ours {
  readonly chains: string[];
  readonly jumps: Jump[];
}

const CHAIN_LINE = new RegExp(`^:(${PREFIX}\\S*) `);
const JUMP_LINE = new RegExp(`^-A (\\S+) -j (${PREFIX}\\S*)$`);
