import { attributeEnd, attributeType, HEADER, nextAttribute, readHost32, readNet32 } from './attributes.ts';
import { NetlinkReplyError } from './error.ts';
import {
  type MessageWriter,
  NFGEN_BYTES,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
} from './message.ts';

/** Messages about elements of nftables sets, include/uapi/linux/netfilter/nf_tables.h. */

/** NFPROTO_*, include/uapi/linux/netfilter.h. */
export const FAMILIES = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 } as const;

/** A set of an nftables table. Its keys are one 32-bit number: `type mark`, `type classid`. */
export interface SetRef {
  readonly family: keyof typeof FAMILIES;
  readonly table: string;
  readonly name: string;
}

export interface SetChange {
  readonly set: SetRef;
  readonly add: readonly number[];
  readonly remove: readonly number[];
  /** How long what is added stays in the set, in milliseconds; 0 or none: for ever. The set has `flags timeout`. */
  readonly timeout?: number;
}

/** A change as it is sent. */
export interface SetStep extends SetChange {
  /** What is in the set and begins anew, with `timeout`. */
  readonly restart?: readonly number[];
}

const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;

/** The type of a message, by its NFT_MSG_* number. */
export const nftables = (message: number): number => (NFNL_SUBSYS_NFTABLES << 8) | message;
const NFT_MSG_NEWSETELEM = nftables(12);
const NFT_MSG_GETSETELEM = nftables(13);
const NFT_MSG_DELSETELEM = nftables(14);
const NFT_MSG_GETGEN = nftables(16);

const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_FLAGS = 3;
const NFTA_SET_ELEM_TIMEOUT = 4;
const NFT_SET_ELEM_INTERVAL_END = 1;
const NFTA_DATA_VALUE = 1;
const NFTA_GEN_ID = 1;

/** An element is up to 28 bytes; this keeps a list well within the 65535 bytes of an attribute. */
const ELEMENTS_A_MESSAGE = 2000;

/** `netdev cha owned`, as nft writes it. */
export const setText = (set: SetRef): string => `set ${set.family} ${set.table} ${set.name}`;

/** Asks for the elements of a set. */
export const writeGetElements = (writer: MessageWriter, set: SetRef, sequence: number): void => {
  writer.openMessage(NFT_MSG_GETSETELEM, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writeSet(writer, set);
  writer.closeMessage();
};

/** How many messages `writeTransaction` writes, without BATCH_END, to which nothing answers. */
export const transactionMessages = (steps: readonly SetStep[]): number =>
  1 + steps.flatMap(messagesOf).length;

/**
 * One transaction: every element is added, and every one removed, or nothing changes. Adding one that is there is
 * EEXIST for all, removing or restarting one that isn't is ENOENT. BATCH_END can't be acknowledged before Linux 6.10,
 * so the message before it is, and the kernel answers only after it has committed.
 */
export const writeTransaction = (writer: MessageWriter, steps: readonly SetStep[], first: number): void => {
  const messages = steps.flatMap(messagesOf);
  writeBoundaries(writer, first, first + messages.length, () => {
    for (const [index, { set, keys, type, timeout }] of messages.entries()) {
      const create = type === NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0;
      const acknowledge = index === messages.length - 1 ? NLM_F_ACK : 0;
      writer.openMessage(type, NLM_F_REQUEST | create | acknowledge, first + 1 + index);
      writeSet(writer, set);
      writer.openNest(NFTA_SET_ELEM_LIST_ELEMENTS);
      for (const key of keys) {
        writeElement(writer, key, timeout);
      }
      writer.closeNest();
      writer.closeMessage();
    }
  });
};

/** What makes one transaction of the messages between: all of them count, or none. */
export const writeBoundaries = (
  writer: MessageWriter,
  first: number,
  last: number,
  between: () => void,
): void => {
  writeBoundary(writer, NFNL_MSG_BATCH_BEGIN, first);
  between();
  writeBoundary(writer, NFNL_MSG_BATCH_END, last);
};

/** Asks for the generation of the rule set. */
export const writeGetGeneration = (writer: MessageWriter, sequence: number): void => {
  writer.openMessage(NFT_MSG_GETGEN, NLM_F_REQUEST | NLM_F_ACK, sequence);
  writer.nfgen(0);
  writer.closeMessage();
};

/** The keys in one message of the elements' dump. Throws a NetlinkReplyError, also for a set of another kind. */
export const parseElements = (view: DataView, at: number, end: number): number[] =>
  mapElements(view, at, end, parseElement);

/** What `read` makes of each element in one message of the elements' dump. */
export const mapElements = <Element>(
  view: DataView,
  at: number,
  end: number,
  read: (view: DataView, element: number) => Element,
): Element[] => {
  const found: Element[] = [];
  for (let list = at + NFGEN_BYTES, next = 0; list < end; list = next) {
    next = nextAttribute(view, list, end);
    if (attributeType(view, list) === NFTA_SET_ELEM_LIST_ELEMENTS) {
      const listEnd = attributeEnd(view, list);
      for (let element = list + HEADER, following = 0; element < listEnd; element = following) {
        following = nextAttribute(view, element, listEnd);
        found.push(read(view, element));
      }
    }
  }
  return found;
};

/** The generation of the rule set, 32 bits. */
export const parseGeneration = (view: DataView, at: number, end: number): number => {
  for (let attribute = at + NFGEN_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    if (attributeType(view, attribute) === NFTA_GEN_ID) {
      return readNet32(view, attribute);
    }
  }
  throw new NetlinkReplyError('no NFTA_GEN_ID in the generation', at);
};

interface ElementMessage {
  readonly set: SetRef;
  readonly keys: readonly number[];
  readonly type: number;
  readonly timeout: number;
}

/**
 * A restart is a removal and an addition, since before Linux 6.12 adding what is there leaves its timeout alone, and
 * since then too if it is the same as before. Packets meet what was before the transaction or what is after it.
 */
const messagesOf = ({ set, add, remove, restart = [], timeout = 0 }: SetStep): readonly ElementMessage[] => {
  const removal = { set, type: NFT_MSG_DELSETELEM, timeout: 0 };
  return [
    ...chunks(restart).map((keys) => ({ ...removal, keys })),
    ...chunks([...restart, ...add]).map((keys) => ({ set, type: NFT_MSG_NEWSETELEM, timeout, keys })),
    ...chunks(remove).map((keys) => ({ ...removal, keys })),
  ];
};

const chunks = (keys: readonly number[]): (readonly number[])[] =>
  Array.from({ length: Math.ceil(keys.length / ELEMENTS_A_MESSAGE) }, (_, index) =>
    keys.slice(index * ELEMENTS_A_MESSAGE, (index + 1) * ELEMENTS_A_MESSAGE),
  );

const writeBoundary = (writer: MessageWriter, type: number, sequence: number): void => {
  writer.openMessage(type, NLM_F_REQUEST, sequence);
  writer.nfgen(0, NFNL_SUBSYS_NFTABLES);
  writer.closeMessage();
};

const writeSet = (writer: MessageWriter, set: SetRef): void => {
  writer.nfgen(FAMILIES[set.family]);
  writer.text(NFTA_SET_ELEM_LIST_TABLE, set.table);
  writer.text(NFTA_SET_ELEM_LIST_SET, set.name);
};

const writeElement = (writer: MessageWriter, key: number, timeout: number): void => {
  writer.openNest(NFTA_LIST_ELEM);
  writer.openNest(NFTA_SET_ELEM_KEY);
  writer.host32(NFTA_DATA_VALUE, key);
  writer.closeNest();
  if (timeout > 0) {
    writer.net64(NFTA_SET_ELEM_TIMEOUT, timeout);
  }
  writer.closeNest();
};

/** The key of an element, copied. Throws a NetlinkReplyError. */
export const parseKeyBytes = (view: DataView, element: number): Buffer => {
  const key = keyOf(view, element);
  const end = attributeEnd(view, key);
  const value = key + HEADER;
  if (value >= end || nextAttribute(view, value, end) < end) {
    throw new NetlinkReplyError('a key that is not one value', key);
  }
  const start = view.byteOffset + value + HEADER;
  return Buffer.from(view.buffer.slice(start, view.byteOffset + attributeEnd(view, value)));
};

const parseElement = (view: DataView, element: number): number => parseKey(view, keyOf(view, element));

const keyOf = (view: DataView, element: number): number => {
  const end = attributeEnd(view, element);
  let key: number | undefined;
  for (let attribute = element + HEADER, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    const type = attributeType(view, attribute);
    if (type === NFTA_SET_ELEM_KEY) {
      key = attribute;
    } else if (
      type === NFTA_SET_ELEM_FLAGS &&
      (readNet32(view, attribute) & NFT_SET_ELEM_INTERVAL_END) !== 0
    ) {
      throw new NetlinkReplyError('an interval in a set that should hold single numbers', element);
    }
  }
  if (key === undefined) {
    throw new NetlinkReplyError('an element without a key', element);
  }
  return key;
};

const parseKey = (view: DataView, key: number): number => {
  const end = attributeEnd(view, key);
  const value = key + HEADER;
  if (
    value < end &&
    nextAttribute(view, value, end) >= end &&
    attributeEnd(view, value) - value === HEADER + 4
  ) {
    return readHost32(view, value);
  }
  throw new NetlinkReplyError('a key that is not one 32-bit number', key);
};
