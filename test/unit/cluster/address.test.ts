import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressText, addressWord, inNetworks, parseNetwork } from '../../../src/cluster/address.ts';

const dotted = fc.ipV4();

describe('addressWord', () => {
  it('has the first byte lowest, as the kernel sees it on a little-endian machine', () => {
    expect(addressWord('10.0.0.1')).toBe(0x0100000a);
    expect(addressWord('255.254.253.252')).toBe(0xfcfdfeff);
    expect(addressWord('0.0.0.0')).toBe(0);
  });

  it('is undone by addressText', () => {
    fc.assert(
      fc.property(dotted, (text) => {
        expect(addressText(addressWord(text))).toBe(text);
      }),
    );
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.-4',
    '1.2.3.4 ',
    'fw1',
    '::1',
    '1.2.3.4/24',
    '0x1.2.3.4',
  ])('refuses %j', (text) => {
    expect(() => addressWord(text)).toThrow(RangeError);
  });
});

describe('parseNetwork', () => {
  it('holds its addresses and no others', () => {
    const networks = [parseNetwork('192.168.0.77/24'), parseNetwork('10.1.0.0/30')];
    const inside = ['192.168.0.0', '192.168.0.255', '10.1.0.3'];
    const outside = ['192.168.1.0', '192.167.255.255', '10.1.0.4', '0.168.192.10'];
    expect(inside.map((text) => inNetworks(addressWord(text), networks))).toEqual([true, true, true]);
    expect(outside.map((text) => inNetworks(addressWord(text), networks))).toEqual(Array(4).fill(false));
  });

  it('holds every address with /0 and one with /32', () => {
    fc.assert(
      fc.property(dotted, dotted, (one, other) => {
        expect(inNetworks(addressWord(one), [parseNetwork('0.0.0.0/0')])).toBe(true);
        expect(inNetworks(addressWord(one), [parseNetwork(`${other}/32`)])).toBe(one === other);
      }),
    );
  });

  it.each(['192.168.0.0', '192.168.0.0/', '192.168.0.0/33', '192.168.0.0/-1', '192.168.0/24', '/24', ''])(
    'refuses %j',
    (text) => {
      expect(() => parseNetwork(text)).toThrow(RangeError);
    },
  );
});
