import { attributeEnd, attributeType, HEADER, nextAttribute, readNet32, readText } from './attributes.ts';
import { MessageWriter, NFGEN_BYTES, NLM_F_DUMP, NLM_F_REQUEST } from './message.ts';
import { FAMILIES, nftables } from './set-message.ts';

/** A chain of nftables that translates packets' sources or destinations. What iptables-legacy has is none. */
export interface NatChain {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** The smaller, the earlier; of two with the same, the one that was made later comes first. */
  readonly priority: number;
}

const NFT_MSG_GETCHAIN = nftables(4);
export const NFTA_CHAIN_TABLE = 1;
export const NFTA_CHAIN_NAME = 3;
export const NFTA_CHAIN_HOOK = 4;
export const NFTA_CHAIN_TYPE = 7;
export const NFTA_HOOK_HOOKNUM = 1;
export const NFTA_HOOK_PRIORITY = 2;
const NFPROTO_UNSPEC = 0;
/** include/uapi/linux/netfilter.h. */
export const NF_INET_PRE_ROUTING = 0;
export const NF_INET_POST_ROUTING = 4;

/** Asks for all chains of all families. */
export const getChains = (sequence: number): Uint8Array => {
  const writer = new MessageWriter();
  writer.openMessage(NFT_MSG_GETCHAIN, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writer.nfgen(NFPROTO_UNSPEC);
  writer.closeMessage();
  return writer.written;
};

/** undefined: the chain does something else. @param hookNumber where it translates: `NF_INET_PRE_ROUTING` destinations, `NF_INET_POST_ROUTING` sources */
export const parseNat = (
  hookNumber: number,
  view: DataView,
  at: number,
  end: number,
): NatChain | undefined => {
  const [number, family = ''] = [view.getUint8(at), familyOf(view.getUint8(at))];
  let [table, chain, type] = ['', '', ''];
  let hook: { readonly number: number; readonly priority: number } | undefined;
  for (let attribute = at + NFGEN_BYTES, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    switch (attributeType(view, attribute)) {
      case NFTA_CHAIN_TABLE:
        table = readText(view, attribute);
        break;
      case NFTA_CHAIN_NAME:
        chain = readText(view, attribute);
        break;
      case NFTA_CHAIN_TYPE:
        type = readText(view, attribute);
        break;
      case NFTA_CHAIN_HOOK:
        hook = parseHook(view, attribute);
        break;
    }
  }
  const translates = type === 'nat' && hook?.number === hookNumber && number !== FAMILIES.bridge;
  return translates && hook !== undefined ? { family, table, chain, priority: hook.priority } : undefined;
};

const familyOf = (number: number): string | undefined =>
  Object.entries(FAMILIES).find(([, value]) => value === number)?.[0];

const parseHook = (view: DataView, nest: number): { number: number; priority: number } => {
  const end = attributeEnd(view, nest);
  let [number, priority] = [-1, 0];
  for (let attribute = nest + HEADER, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    const type = attributeType(view, attribute);
    if (type === NFTA_HOOK_HOOKNUM) {
      number = readNet32(view, attribute);
    } else if (type === NFTA_HOOK_PRIORITY) {
      priority = readNet32(view, attribute) | 0;
    }
  }
  return { number, priority };
};
