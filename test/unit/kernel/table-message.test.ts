import { expect, it } from 'vitest';
import { MessageWriter } from '../../../src/kernel/message.ts';
import { parseStaticSet } from '../../../src/kernel/table-message.ts';

/** include/uapi/linux/netfilter/nf_tables.h */
const CONSTANT = 0x2;
const MAP = 0x8;
const TIMEOUT = 0x10;
const NLMSG_HEADER = 16;

const named = (flags: number, elements: 'all' | 'maps', table = 'theirs') => {
  const writer = new MessageWriter();
  writer.openMessage(0xa09, 0, 1);
  writer.nfgen(2);
  writer.text(1, 'theirs');
  writer.text(2, 'some');
  writer.net32(3, flags);
  writer.closeMessage();
  const { buffer, byteOffset, length } = writer.written;
  const view = new DataView(buffer, byteOffset, length);
  return parseStaticSet({ family: 'ip', table }, elements, view, NLMSG_HEADER, length);
};

it('has the elements of sets and maps read, or of maps alone', () => {
  expect([named(CONSTANT, 'all'), named(MAP, 'all')]).toEqual(['some', 'some']);
  expect([named(CONSTANT, 'maps'), named(MAP, 'maps')]).toEqual([undefined, 'some']);
});

it('has none read that come and go, nor those of other tables', () => {
  expect([named(TIMEOUT, 'all'), named(MAP | TIMEOUT, 'maps')]).toEqual([undefined, undefined]);
  expect(named(MAP, 'maps', 'ours')).toBeUndefined();
});
