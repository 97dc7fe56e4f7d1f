import { RawNetlinkSocket } from 'netlink';
import { NETLINK_NETFILTER } from '../src/kernel/channel.ts';
import { aligned, HEADER_BYTES } from '../src/kernel/message.ts';
import { parseElements } from '../src/kernel/set-message.ts';

const NFNLGRP_NFTABLES = 7;
const NFT_MSG_NEWRULE = 0x0a06;
const NFT_MSG_NEWSETELEM = 0x0a0c;
const NFT_MSG_DELSETELEM = 0x0a0e;

/** What one datagram of the kernel tells. */
export interface RuleChange {
  /** Elements of sets, of all sets alike. */
  readonly added: readonly number[];
  readonly removed: readonly number[];
  /** New rules. */
  readonly rules: number;
}

/**
 * Hears from the kernel of every change of nftables rules and sets: it sends them after the commit, when packets meet the
 * new state. Not for the product: this package ends the process when such a socket overflows.
 */
export const watchRules = (take: (change: RuleChange) => void): void => {
  const events = new RawNetlinkSocket(NETLINK_NETFILTER, {
    localGroups: 1 << (NFNLGRP_NFTABLES - 1),
    messagePeeking: false,
    msgBufferSize: 64 * 1024,
    recvBufferSize: 1 << 20,
    sendBufferSize: 1 << 16,
  });
  events.on('message', (datagram) => {
    take(changeIn(new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)));
  });
};

const changeIn = (view: DataView): RuleChange => {
  const added: number[] = [];
  const removed: number[] = [];
  let rules = 0;
  for (let at = 0; at + HEADER_BYTES <= view.byteLength; ) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    if (type === NFT_MSG_NEWRULE) {
      rules += 1;
    } else if (type === NFT_MSG_NEWSETELEM) {
      added.push(...parseElements(view, at + HEADER_BYTES, at + length));
    } else if (type === NFT_MSG_DELSETELEM) {
      removed.push(...parseElements(view, at + HEADER_BYTES, at + length));
    }
    at += aligned(Math.max(length, HEADER_BYTES));
  }
  return { added, removed, rules };
};
