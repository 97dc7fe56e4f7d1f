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

describe('a restart', () => {
  it('is a removal and then an addition with the timeout', () => {
    const writer = new MessageWriter();
    const steps = [{ set, add: [7], remove: [8], restart: [5], timeout: 0x1_0000_0002 }];
    writeTransaction(writer, steps, 1);

    const parts = messages(writer.written).slice(1, -1);

    expect(transactionMessages(steps)).toBe(1 + parts.length);
    // NLM_F_REQUEST; then NLM_F_CREATE | NLM_F_EXCL too, and NLM_F_ACK at last
    expect(parts.map(({ type, flags }) => [type, flags])).toEqual([
      [0xa0e, 0x001],
      [0xa0c, 0x601],
      [0xa0e, 0x005],
    ]);
    // A list of: an element, its key, the value in host order; NFTA_SET_ELEM_TIMEOUT (4), 64 bits in network order
    const list = ({ at, end }: (typeof parts)[number]) =>
      Buffer.from(writer.written.subarray(at + 44, end)).toString('hex');
    const key = (number: number) => `0c00018008000100${number.toString(16).padStart(2, '0')}000000`;
    const timeout = '0c0004000000000100000002';
    expect(parts.map(list)).toEqual([
      `1400038010000180${key(5)}`,
      `3c0003801c000180${key(5)}${timeout}1c000180${key(7)}${timeout}`,
      `1400038010000180${key(8)}`,
    ]);
  });

  it('of more than a message holds has all removals first', () => {
    const writer = new MessageWriter();
    const restart = Array.from({ length: 2500 }, (_, index) => index);
    writeTransaction(writer, [{ set, add: [], remove: [], restart, timeout: 1000 }], 1);

    const parts = messages(writer.written).slice(1, -1);

    expect(parts.map(({ type }) => type)).toEqual([0xa0e, 0xa0e, 0xa0c, 0xa0c]);
    const keys = (some: typeof parts) =>
      some.flatMap(({ at, end }) => parseElements(view(writer.written), at + 16, end));
    expect(keys(parts.slice(0, 2))).toEqual(restart);
    expect(keys(parts.slice(2))).toEqual(restart);
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
