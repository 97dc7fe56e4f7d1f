import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Address, familyOf } from '../../../src/cluster/address.ts';
import type { Tuple } from '../../../src/cluster/flow.ts';
import { isIcmp } from '../../../src/cluster/protocols.ts';
import { NetlinkReplyError } from '../../../src/kernel/error.ts';
import {
  AF_INET,
  addressFamily,
  CT_DELETE,
  CT_NEW,
  CTA_TUPLE_ORIG,
} from '../../../src/kernel/flow-attributes.ts';
import { parseFlow } from '../../../src/kernel/flow-reading.ts';
import { writeFlow, writeTuple } from '../../../src/kernel/flow-writing.ts';
import { MessageWriter, NLM_F_ACK, NLM_F_REQUEST } from '../../../src/kernel/message.ts';
import { TupleBatch } from '../../../src/kernel/tuple-template.ts';

const word = fc.nat(0xffff_ffff);
const port = fc.nat(0xffff);
const half = fc.integer();
const ipv6 = fc.record({ first: half, second: half, third: half, fourth: half });
const tuplesOf = (address: fc.Arbitrary<Address>): fc.Arbitrary<Tuple> =>
  fc.record({
    protocol: fc.constantFrom(1, 6, 17, 50, 58, 132),
    src: address,
    dst: address,
    sport: port,
    dport: port,
  });
const tuples = fc.oneof(tuplesOf(word), tuplesOf(ipv6));
const nfgenOf = ({ src }: Tuple): number => addressFamily(familyOf(src));

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** A message as the kernel would send it, without NAT: the reply mirrors the original. */
const entry = (original: Tuple): Uint8Array => {
  const reply = { ...original, src: original.dst, dst: original.src };
  const mirrored = isIcmp(original.protocol)
    ? reply
    : { ...reply, sport: original.dport, dport: original.sport };
  const writer = new MessageWriter();
  writer.openMessage(CT_NEW, 0, 1);
  writer.nfgen(nfgenOf(original));
  writeFlow(writer, { original, reply: mirrored, status: 14, timeout: 77 });
  writer.closeMessage();
  return writer.written;
};

describe('a flow in a message', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(tuples, (original) => {
        const bytes = entry(original);
        const flow = parseFlow(view(bytes), 16, bytes.length);
        expect(flow).toMatchObject({ original, status: 14, timeout: 77 });
        expect(flow?.reply).toMatchObject({ src: original.dst, dst: original.src });
      }),
    );
  });

  const [src, dst] = [1, 2].map((fourth) => ({ first: 1, second: 2, third: 3, fourth }));
  it.each([
    { protocol: 6, src: 1, dst: 2, sport: 3, dport: 4 },
    { protocol: 58, src: src ?? 1, dst: dst ?? 2, sport: 3, dport: 128 * 256 },
  ])('gives a typed error or a flow, whatever its bytes: %j', (original) => {
    const good = entry(original);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = good.slice();
          for (const [at, value] of changes) {
            bytes[at] = value;
          }
          try {
            parseFlow(view(bytes), 16, Math.max(length, 16));
          } catch (error) {
            expect(error).toBeInstanceOf(NetlinkReplyError);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('without its tuples is malformed, with the place named', () => {
    const writer = new MessageWriter();
    writer.nfgen(AF_INET);
    writer.net32(3, 14);
    expect(() => parseFlow(view(writer.written), 0, writer.written.length)).toThrow(
      /^malformed netlink reply: a conntrack entry without its tuples at offset 0/,
    );
  });

  it('whose attribute is too short for its value is malformed', () => {
    const writer = new MessageWriter();
    writer.nfgen(AF_INET);
    writer.net16(3, 14);
    expect(() => parseFlow(view(writer.written), 0, writer.written.length)).toThrow(
      /attribute 3 is shorter than 4 bytes at offset 4/,
    );
  });

  it('whose attribute runs over the end is malformed', () => {
    const writer = new MessageWriter();
    writer.nfgen(AF_INET);
    writer.net32(3, 14);
    expect(() => parseFlow(view(writer.written), 0, 10)).toThrow(
      /attribute 3 says 8 bytes, 6 are left at offset 4/,
    );
    expect(() => parseFlow(view(writer.written), 0, 6)).toThrow(
      /2 bytes where an attribute's header should be/,
    );
  });
});

describe('a batch of tuples', () => {
  it.each(['touch', 'remove'] as const)('to %s holds what writing each would give', (kind) => {
    const batch = new TupleBatch(kind, 8);
    fc.assert(
      fc.property(
        fc.array(tuples, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 0xffff_ff00 }),
        (some, first) => {
          const writer = new MessageWriter();
          for (const [index, tuple] of some.entries()) {
            const acknowledge = index === some.length - 1 ? NLM_F_ACK : 0;
            writer.openMessage(
              kind === 'touch' ? CT_NEW : CT_DELETE,
              NLM_F_REQUEST | acknowledge,
              first + index,
            );
            writer.nfgen(nfgenOf(tuple));
            writeTuple(writer, CTA_TUPLE_ORIG, tuple);
            writer.closeMessage();
          }
          expect(Buffer.from(batch.encode(some, first)).toString('hex')).toBe(
            Buffer.from(writer.written).toString('hex'),
          );
        },
      ),
    );
  });

  it('never deletes without naming a tuple: that would empty the table', () => {
    const one = new TupleBatch('remove', 1).encode([{ protocol: 6, src: 1, dst: 2, sport: 3, dport: 4 }], 1);
    expect(view(one).getUint16(22, true)).toBe(CTA_TUPLE_ORIG | 0x8000);
    expect(one.length).toBe(72);
  });
});
