import { attributeEnd, attributeType, HEADER, nextAttribute, readNet64, readText } from './attributes.ts';
import { NetlinkReplyError } from './error.ts';
import { MessageWriter, NFGEN_BYTES, NLM_F_DUMP, NLM_F_REQUEST } from './message.ts';
import { FAMILIES, nftables } from './set-message.ts';
import type { TableRef } from './table-message.ts';

/** Messages about named counters of nftables, include/uapi/linux/netfilter/nf_tables.h. */

/** What a named counter of a table has counted. */
export interface NamedCounter {
  readonly name: string;
  readonly packets: number;
}

const NFT_MSG_GETOBJ = nftables(19);
const NFT_OBJECT_COUNTER = 1;
const NFTA_OBJ_TABLE = 1;
const NFTA_OBJ_NAME = 2;
const NFTA_OBJ_TYPE = 3;
const NFTA_OBJ_DATA = 4;
const NFTA_COUNTER_PACKETS = 2;

/** Asks for the table's counters; the kernel selects them (nf_tables_dump_obj() in net/netfilter/nf_tables_api.c). */
export const getCounters = ({ family, table }: TableRef, sequence: number): Uint8Array => {
  const writer = new MessageWriter();
  writer.openMessage(NFT_MSG_GETOBJ, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writer.nfgen(FAMILIES[family]);
  writer.text(NFTA_OBJ_TABLE, table);
  writer.net32(NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
  writer.closeMessage();
  return writer.written;
};

/** Undefined: it is another table's. Throws a NetlinkReplyError. */
export const parseCounter = (
  { table }: TableRef,
  view: DataView,
  at: number,
  end: number,
): NamedCounter | undefined => {
  let [name, of, packets] = ['', '', 0];
  for (let attribute = at + NFGEN_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    switch (attributeType(view, attribute)) {
      case NFTA_OBJ_TABLE:
        of = readText(view, attribute);
        break;
      case NFTA_OBJ_NAME:
        name = readText(view, attribute);
        break;
      case NFTA_OBJ_DATA:
        packets = parsePackets(view, attribute);
        break;
    }
  }
  return of === table ? { name, packets } : undefined;
};

const parsePackets = (view: DataView, data: number): number => {
  const end = attributeEnd(view, data);
  for (let attribute = data + HEADER, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    if (attributeType(view, attribute) === NFTA_COUNTER_PACKETS) {
      return readNet64(view, attribute);
    }
  }
  throw new NetlinkReplyError('no NFTA_COUNTER_PACKETS in a counter', data);
};
