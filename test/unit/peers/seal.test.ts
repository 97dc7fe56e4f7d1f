import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seal, TAG_BYTES, unseal } from '../../../src/peers/seal.ts';

const KEY = Buffer.alloc(32, 7);
const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));

describe('seal', () => {
  it('is undone with the same key and context', () => {
    fc.assert(
      fc.property(bytes, fc.string(), (payload, context) => {
        const sealed = seal(KEY, context, payload);
        expect(sealed.length).toBe(payload.length + TAG_BYTES);
        expect(unseal(KEY, context, sealed)).toEqual(payload);
      }),
    );
  });

  it('is not opened with another key or context', () => {
    const sealed = seal(KEY, 'frame client 0 ', Buffer.from('hello'));
    expect(unseal(Buffer.alloc(32, 8), 'frame client 0 ', sealed)).toBeUndefined();
    expect(unseal(KEY, 'frame server 0 ', sealed)).toBeUndefined();
    expect(unseal(KEY, 'frame client 1 ', sealed)).toBeUndefined();
    expect(unseal(KEY, '', sealed)).toBeUndefined();
  });

  it('keeps the context apart from the payload', () => {
    const sealed = seal(KEY, 'frame 1', Buffer.from('2 hello'));
    expect(
      unseal(KEY, 'frame 12', Buffer.concat([Buffer.from(' hello'), sealed.subarray(-TAG_BYTES)])),
    ).toBeUndefined();
  });

  it('is not opened when a bit was changed, a byte cut off or put there', () => {
    const sealed = seal(KEY, 'x', Buffer.from('hello'));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(unseal(KEY, 'x', changed)).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(unseal(KEY, 'x', sealed.subarray(0, length))).toBeUndefined();
      expect(unseal(KEY, 'x', sealed.subarray(sealed.length - length))).toBeUndefined();
    }
    expect(unseal(KEY, 'x', Buffer.concat([sealed, Buffer.alloc(1)]))).toBeUndefined();
  });

  it('never throws for what anybody may send', () => {
    fc.assert(
      fc.property(bytes, (garbage) => {
        expect(unseal(KEY, 'x', garbage)).toBeUndefined();
      }),
    );
  });
});
