import {
  NF_INET_POST_ROUTING,
  NFTA_CHAIN_HOOK,
  NFTA_CHAIN_NAME,
  NFTA_CHAIN_TABLE,
  NFTA_CHAIN_TYPE,
  NFTA_HOOK_HOOKNUM,
  NFTA_HOOK_PRIORITY,
} from './chain-message.ts';
import {
  type MessageWriter,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
} from './message.ts';
import { FAMILIES, nftables, type SetRef, writeBoundaries } from './set-message.ts';

/** Messages that make a table of nftables which ends with its owner, include/uapi/linux/netfilter/nf_tables.h. */

/**
 * A table of one chain, which is asked once for each flow, as it leaves. It drops the first packet of one that leaves by an interface
 * of `to`, while the interface that it came by is in the set `when` and not in `unless`.
 */
export interface OwnerTable {
  readonly when: SetRef;
  /** In the same table. */
  readonly unless: SetRef;
  /** Names of interfaces. */
  readonly to: readonly string[];
  readonly chain: string;
  readonly priority: number;
}

const NFT_MSG_NEWTABLE = nftables(0);
const NFT_MSG_NEWCHAIN = nftables(3);
const NFT_MSG_NEWRULE = nftables(6);
const NFT_MSG_NEWSET = nftables(9);

const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_FLAGS = 2;
/** It goes when the socket that has made it is closed; nobody else may change it. Since Linux 5.12. */
const NFT_TABLE_F_OWNER = 0x2;
const NFTA_SET_TABLE = 1;
const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_KEY_TYPE = 4;
const NFTA_SET_KEY_LEN = 5;
const NFTA_SET_ID = 10;
const NFTA_SET_USERDATA = 13;
const NFT_SET_TIMEOUT = 0x10;
/** By which nft lists the elements: `iface_index`, include/datatype.h of nftables. */
const TYPE_IFINDEX = 20;
/** NFTNL_UDATA_SET_KEYBYTEORDER, of 4 bytes: BYTEORDER_HOST_ENDIAN. Without it nft takes keys for numbers in network order. */
const IN_HOST_ORDER = [0, 4, 1, 0, 0, 0];
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_META_DREG = 1;
const NFTA_META_KEY = 2;
const NFT_META_IIF = 4;
const NFT_META_OIFNAME = 7;
const NFTA_CMP_SREG = 1;
const NFTA_CMP_OP = 2;
const NFTA_CMP_DATA = 3;
const NFT_CMP_EQ = 0;
const NFTA_IMMEDIATE_DREG = 1;
const NFTA_IMMEDIATE_DATA = 2;
const NFTA_LOOKUP_SET = 1;
const NFTA_LOOKUP_SREG = 2;
const NFTA_LOOKUP_FLAGS = 5;
const NFT_LOOKUP_F_INV = 1;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NF_DROP = 0;
const NFT_REG_VERDICT = 0;
const NFT_REG_1 = 1;
const IFNAMSIZ = 16;

/** How many messages `writeOwnerTable` writes, without BATCH_END, to which nothing answers. */
export const ownerTableMessages = ({ to }: OwnerTable): number =>
  ['begin', 'table', 'set', 'set', 'chain', ...to].length;

/** One transaction. EEXIST if there is such a table already; EOPNOTSUPP or EINVAL before Linux 5.12. */
export const writeOwnerTable = (writer: MessageWriter, made: OwnerTable, first: number): void => {
  const { when, unless, chain, priority, to } = made;
  const last = first + ownerTableMessages(made) - 1;
  let sequence = first;
  const message = (type: number, flags: number, write: () => void): void => {
    sequence += 1;
    const acknowledge = sequence === last ? NLM_F_ACK : 0;
    writer.openMessage(type, NLM_F_REQUEST | NLM_F_CREATE | flags | acknowledge, sequence);
    writer.nfgen(FAMILIES[when.family]);
    write();
    writer.closeMessage();
  };
  writeBoundaries(writer, first, last, () => {
    message(NFT_MSG_NEWTABLE, NLM_F_EXCL, () => {
      writer.text(NFTA_TABLE_NAME, when.table);
      writer.net32(NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
    });
    for (const [index, { table, name }] of [when, unless].entries()) {
      message(NFT_MSG_NEWSET, NLM_F_EXCL, () => {
        writer.text(NFTA_SET_TABLE, table);
        writer.text(NFTA_SET_NAME, name);
        writer.net32(NFTA_SET_FLAGS, NFT_SET_TIMEOUT);
        writer.net32(NFTA_SET_KEY_TYPE, TYPE_IFINDEX);
        writer.net32(NFTA_SET_KEY_LEN, 4);
        writer.net32(NFTA_SET_ID, index + 1);
        writer.bytes(NFTA_SET_USERDATA, IN_HOST_ORDER);
      });
    }
    message(NFT_MSG_NEWCHAIN, NLM_F_EXCL, () => {
      writer.text(NFTA_CHAIN_TABLE, when.table);
      writer.text(NFTA_CHAIN_NAME, chain);
      writer.text(NFTA_CHAIN_TYPE, 'nat');
      writer.openNest(NFTA_CHAIN_HOOK);
      writer.net32(NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
      writer.net32(NFTA_HOOK_PRIORITY, priority);
      writer.closeNest();
    });
    for (const name of to) {
      message(NFT_MSG_NEWRULE, NLM_F_APPEND, () => {
        writer.text(NFTA_RULE_TABLE, when.table);
        writer.text(NFTA_RULE_CHAIN, chain);
        writer.openNest(NFTA_RULE_EXPRESSIONS);
        writeDrop(writer, made, name);
        writer.closeNest();
      });
    }
  });
};

const writeDrop = (writer: MessageWriter, { when, unless }: OwnerTable, to: string): void => {
  writeMeta(writer, NFT_META_OIFNAME);
  expression(writer, 'cmp', () => {
    writer.net32(NFTA_CMP_SREG, NFT_REG_1);
    writer.net32(NFTA_CMP_OP, NFT_CMP_EQ);
    writer.openNest(NFTA_CMP_DATA);
    writer.text(NFTA_DATA_VALUE, to, IFNAMSIZ);
    writer.closeNest();
  });
  writeMeta(writer, NFT_META_IIF);
  writeLookup(writer, when.name, 0);
  writeMeta(writer, NFT_META_IIF);
  writeLookup(writer, unless.name, NFT_LOOKUP_F_INV);
  expression(writer, 'counter', () => {});
  expression(writer, 'immediate', () => {
    writer.net32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    writer.openNest(NFTA_IMMEDIATE_DATA);
    writer.openNest(NFTA_DATA_VERDICT);
    writer.net32(NFTA_VERDICT_CODE, NF_DROP);
    writer.closeNest();
    writer.closeNest();
  });
};

const writeMeta = (writer: MessageWriter, key: number): void =>
  expression(writer, 'meta', () => {
    writer.net32(NFTA_META_DREG, NFT_REG_1);
    writer.net32(NFTA_META_KEY, key);
  });

const writeLookup = (writer: MessageWriter, set: string, flags: number): void =>
  expression(writer, 'lookup', () => {
    writer.text(NFTA_LOOKUP_SET, set);
    writer.net32(NFTA_LOOKUP_SREG, NFT_REG_1);
    writer.net32(NFTA_LOOKUP_FLAGS, flags);
  });

const expression = (writer: MessageWriter, name: string, write: () => void): void => {
  writer.openNest(NFTA_LIST_ELEM);
  writer.text(NFTA_EXPR_NAME, name);
  writer.openNest(NFTA_EXPR_DATA);
  write();
  writer.closeNest();
  writer.closeNest();
};
