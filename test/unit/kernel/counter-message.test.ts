import { expect, it } from 'vitest';
import { parseCounter } from '../../../src/kernel/counter-message.ts';
import { NetlinkReplyError } from '../../../src/kernel/error.ts';
import { MessageWriter } from '../../../src/kernel/message.ts';

const NLMSG_HEADER = 16;
/** NFT_MSG_NEWOBJ, include/uapi/linux/netfilter/nf_tables.h. */
const NEW_OBJECT = 0xa12;

const reply = (write: (writer: MessageWriter) => void) => {
  const writer = new MessageWriter();
  writer.openMessage(NEW_OBJECT, 0, 1);
  writer.nfgen(5);
  write(writer);
  writer.closeMessage();
  const { buffer, byteOffset, length } = writer.written;
  const view = new DataView(buffer, byteOffset, length);
  return parseCounter({ family: 'netdev', table: 'ours' }, view, NLMSG_HEADER, length);
};

const counter =
  (table: string, data: (writer: MessageWriter) => void) =>
  (writer: MessageWriter): void => {
    writer.text(1, table);
    writer.text(2, 'arrived');
    writer.openNest(4);
    data(writer);
    writer.closeNest();
  };

it('reads the name and the packets', () => {
  const data = (writer: MessageWriter): void => {
    writer.net64(1, 1500);
    writer.net64(2, 3);
  };
  expect(reply(counter('ours', data))).toEqual({ name: 'arrived', packets: 3 });
  expect(reply(counter('theirs', data))).toBeUndefined();
});

it('refuses a reply that lacks the packets, or has them cut off', () => {
  expect(() => reply(counter('ours', () => {}))).toThrow(NetlinkReplyError);
  expect(() => reply(counter('ours', (writer) => writer.net32(2, 3)))).toThrow(NetlinkReplyError);
});
