import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetlinkReplyError } from '../../../src/kernel/error.ts';
import { MessageWriter } from '../../../src/kernel/message.ts';
import {
  parseElements,
  parseGeneration,
  type SetRef,
  setText,
  transactionMessages,
  writeTransaction,
} from '../../../src/kernel/set-message.ts';

const set: SetRef = { family: 'netdev', table: 'ours', name: 'owned' };

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Offset and length of each message. */
const messages = (
  bytes: Uint8Array,
): { at: number; end: number; type: number; flags: number; sequence: number }[] => {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const header = view(bytes.subarray(at));
    const length = header.getUint32(0, true);
    found.push({
      at,
      end: at + length,
      type: header.getUint16(4, true),
      flags: header.getUint16(6, true),
      sequence: header.getUint32(8, true),
    });
    at += length;
  }
  return found;
};

describe('a transaction', () => {
  it('stands between the marks of a batch, numbered, its last change to be acknowledged', () => {
    const writer = new MessageWriter(16);
    const changes = [{ set, add: Array.from({ length: 4500 }, (_, key) => key), remove: [9000] }];
    writeTransaction(writer, changes, 70);

    const parts = messages(writer.written);

    expect(parts.map(({ type }) => type)).toEqual([0x10, 0xa0c, 0xa0c, 0xa0c, 0xa0e, 0x11]);
    expect(parts.slice(0, -1).map(({ sequence }) => sequence)).toEqual([70, 71, 72, 73, 74]);
    expect(parts.map(({ flags }) => flags & 4)).toEqual([0, 0, 0, 0, 4, 0]);
    expect(transactionMessages(changes)).toBe(5);
    const keys = parts
      .slice(1, -2)
      .flatMap(({ at, end }) => parseElements(view(writer.written), at + 16, end));
    expect(keys).toEqual(changes[0]?.add);
  });
});

describe('elements in a message', () => {
  it('give a typed error or keys, whatever the bytes', () => {
    const writer = new MessageWriter();
    writeTransaction(writer, [{ set, add: [1, 2, 0xffff_ffff], remove: [] }], 1);
    const good = writer.written.slice(20);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = good.slice();
          for (const [at, value] of changes) {
            bytes[at] = value;
          }
          for (const parse of [parseElements, parseGeneration]) {
            try {
              parse(view(bytes), Math.min(16, length), length);
            } catch (error) {
              expect(error).toBeInstanceOf(NetlinkReplyError);
            }
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

it('a set is named as nft does', () => {
  expect(setText(set)).toBe('set netdev ours owned');
});
