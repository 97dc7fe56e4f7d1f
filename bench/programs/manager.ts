import { constants, openSync, writeSync } from 'node:fs';
import { RawNetlinkSocket } from 'netlink';
import { NETLINK_NETFILTER } from '../../src/kernel/channel.ts';
import { aligned, HEADER_BYTES } from '../../src/kernel/message.ts';
import { parseElements } from '../../src/kernel/set-message.ts';
import { readCommands, say } from '../../test/lab/traffic/json-lines.ts';
import type { Order } from '../takeover/manager.ts';

/**
 * `manager.js FIFO`, inside a node: stands for the HA manager. It holds the FIFO open, writes each order's line into it,
 * and waits until the kernel reports the change (NFNLGRP_NFTABLES: the kernel sends that after the commit, when packets
 * meet the new state). Both times are of this process's clock: the time between includes its own waking up.
 */
const NFNLGRP_NFTABLES = 7;
const NFT_MSG_NEWRULE = 0x0a06;
const NFT_MSG_NEWSETELEM = 0x0a0c;
const NFT_MSG_DELSETELEM = 0x0a0e;

const seen = { added: new Set<number>(), removed: new Set<number>(), rules: 0 };
let order: Order | undefined;
let began = 0;

const lookAt = (view: DataView): void => {
  for (let at = 0; at + HEADER_BYTES <= view.byteLength; ) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    const elements = (): readonly number[] => parseElements(view, at + HEADER_BYTES, at + length);
    if (type === NFT_MSG_NEWRULE) {
      seen.rules += 1;
    } else if (type === NFT_MSG_NEWSETELEM) {
      take(seen.added, elements());
    } else if (type === NFT_MSG_DELSETELEM) {
      take(seen.removed, elements());
    }
    at += aligned(Math.max(length, HEADER_BYTES));
  }
};

const take = (into: Set<number>, buckets: readonly number[]): void => {
  for (const bucket of buckets) {
    into.add(bucket);
  }
};

const isDone = ({ awaits, count }: Order): boolean =>
  awaits === 'nothing' || (awaits === 'rules' ? seen.rules : seen[awaits].size) >= count;

const settle = (): void => {
  const now = performance.now();
  if (order !== undefined && isDone(order)) {
    order = undefined;
    say({ milliseconds: now - began });
  }
};

const events = new RawNetlinkSocket(NETLINK_NETFILTER, {
  localGroups: 1 << (NFNLGRP_NFTABLES - 1),
  messagePeeking: false,
  msgBufferSize: 64 * 1024,
  recvBufferSize: 1 << 20,
  sendBufferSize: 1 << 16,
});
events.on('message', (datagram) => {
  lookAt(new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength));
  settle();
});

// Both ways, as keepalived does: it neither waits for a reader nor loses its place when that is restarted (fifo(7)).
const fifo = openSync(process.argv[2] ?? '', constants.O_RDWR | constants.O_NONBLOCK);

readCommands<Order>(
  (next) => {
    seen.added.clear();
    seen.removed.clear();
    seen.rules = 0;
    order = next;
    const text = next.lines.map((line) => `${line}\n`).join('');
    began = performance.now();
    writeSync(fifo, text);
    settle();
  },
  () => process.exit(0),
);
