import { attributeEnd, attributeType, HEADER, nextAttribute, readNet32, readText } from './attributes.ts';
import { MessageWriter, NFGEN_BYTES, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from './message.ts';
import { FAMILIES, mapElements, nftables, type SetRef } from './set-message.ts';

/** Messages about what an nftables table is made of, include/uapi/linux/netfilter/nf_tables.h. */

/** An nftables table. */
export type TableRef = Pick<SetRef, 'family' | 'table'>;

const NFT_MSG_GETTABLE = nftables(1);
const NFT_MSG_GETCHAIN = nftables(4);
const NFT_MSG_GETRULE = nftables(7);
const NFT_MSG_GETSET = nftables(10);

/** The name of the table is the first attribute of all four. */
const TABLE = 1;
const NFTA_TABLE_FLAGS = 2;
const NFTA_TABLE_USE = 3;
const NFTA_TABLE_HANDLE = 4;
const NFTA_CHAIN_HANDLE = 2;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_HANDLE = 3;
const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_HANDLE = 16;

const NFT_SET_ANONYMOUS = 0x1;
const NFT_SET_MAP = 0x8;
const NFT_SET_TIMEOUT = 0x10;
const NFT_SET_EVAL = 0x20;

/**
 * What tells an object of a table from another that has taken its place: a handle is never given twice. A rule has a new
 * one also when it is replaced. Counters are not among it.
 */
const PARTS = {
  chain: {
    type: NFT_MSG_GETCHAIN,
    attributes: [NFTA_CHAIN_HANDLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY],
  },
  rule: { type: NFT_MSG_GETRULE, attributes: [NFTA_RULE_CHAIN, NFTA_RULE_HANDLE] },
  set: { type: NFT_MSG_GETSET, attributes: [NFTA_SET_NAME, NFTA_SET_FLAGS, NFTA_SET_HANDLE] },
} as const;
const OF_TABLE = [NFTA_TABLE_FLAGS, NFTA_TABLE_USE, NFTA_TABLE_HANDLE];

export type PartKind = keyof typeof PARTS;

/** Asks for the table itself; ENOENT if there is none. */
export const getTable = ({ family, table }: TableRef, sequence: number): Uint8Array => {
  const writer = new MessageWriter();
  writer.openMessage(NFT_MSG_GETTABLE, NLM_F_REQUEST | NLM_F_ACK, sequence);
  writer.nfgen(FAMILIES[family]);
  writer.text(TABLE, table);
  writer.closeMessage();
  return writer.written;
};

/** Asks for the parts of one kind, of all tables of the family: older kernels don't select chains by table. */
export const getParts = ({ family, table }: TableRef, kind: PartKind, sequence: number): Uint8Array => {
  const writer = new MessageWriter();
  writer.openMessage(PARTS[kind].type, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writer.nfgen(FAMILIES[family]);
  writer.text(TABLE, table);
  writer.closeMessage();
  return writer.written;
};

export const parseTable = (view: DataView, at: number, end: number): string =>
  textOf(view, at, end, OF_TABLE);

/** One part; undefined if it is another table's. */
export const parsePart = (
  { table }: TableRef,
  kind: PartKind,
  view: DataView,
  at: number,
  end: number,
): string | undefined => {
  for (let attribute = at + NFGEN_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    if (attributeType(view, attribute) === TABLE) {
      return readText(view, attribute) === table
        ? `${kind} ${textOf(view, at, end, PARTS[kind].attributes)}`
        : undefined;
    }
  }
  return undefined;
};

/** Maps: of elements those only that have values, of data or verdicts. */
export type ElementsKind = 'all' | 'maps';

/** The name of a set whose elements only a person changes; undefined: it is anonymous, so constant, or they come and go, or it isn't asked for. */
export const parseStaticSet = (
  { table }: TableRef,
  elements: ElementsKind,
  view: DataView,
  at: number,
  end: number,
): string | undefined => {
  let name: string | undefined;
  let flags = 0;
  for (let attribute = at + NFGEN_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    const type = attributeType(view, attribute);
    if (type === TABLE && readText(view, attribute) !== table) {
      return undefined;
    }
    if (type === NFTA_SET_NAME) {
      name = readText(view, attribute);
    } else if (type === NFTA_SET_FLAGS) {
      flags = readNet32(view, attribute);
    }
  }
  if (elements === 'maps' && (flags & NFT_SET_MAP) === 0) return undefined;
  return (flags & (NFT_SET_ANONYMOUS | NFT_SET_TIMEOUT | NFT_SET_EVAL)) === 0 ? name : undefined;
};

/** The elements in one message of a dump, whatever their kind, as text. */
export const parseAnyElements = (view: DataView, at: number, end: number): readonly string[] =>
  mapElements(view, at, end, hexOf);

const textOf = (view: DataView, at: number, end: number, wanted: readonly number[]): string => {
  const found: string[] = [];
  for (let attribute = at + NFGEN_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    const type = attributeType(view, attribute);
    if (wanted.includes(type)) {
      found.push(`${type}:${hexOf(view, attribute)}`);
    }
  }
  return found.sort().join(' ');
};

const hexOf = (view: DataView, at: number): string =>
  Buffer.from(view.buffer, view.byteOffset + at + HEADER, attributeEnd(view, at) - at - HEADER).toString(
    'hex',
  );
