import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Address,
  addressText,
  addressWord,
  type Ipv6Address,
  inNetworks,
  isConfined,
  isSameAddress,
  isWithin,
  parseAddress,
  parseNetwork,
  singleNetwork,
} from '../../../src/cluster/address.ts';
import { AddressSet } from '../../../src/cluster/address-set.ts';

const dotted = fc.ipV4();
const half = fc.integer();
const ipv6 = fc.record({ first: half, second: half, third: half, fourth: half });

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

describe('parseAddress', () => {
  it('has the first byte of each word of IPv6 lowest', () => {
    expect(parseAddress('fd00:102:304:506:708:90a:b0c:80')).toEqual({
      first: 0x0201_00fd,
      second: 0x0605_0403,
      third: 0x0a09_0807,
      fourth: 0x8000_0c0b | 0,
    });
    expect(parseAddress('10.0.0.1')).toBe(addressWord('10.0.0.1'));
  });

  it('is undone by addressText, however the address is written', () => {
    fc.assert(
      fc.property(fc.oneof(ipv6, dotted.map(addressWord)), (address: Address) => {
        expect(parseAddress(addressText(address))).toEqual(address);
      }),
    );
    expect(addressText(parseAddress('FD00:0:0:0:1:00:0:1'))).toBe('fd00::1:0:0:1');
    expect(addressText(parseAddress('::ffff:10.0.0.1'))).toBe('::ffff:a00:1');
  });

  it.each([
    '',
    'fd00',
    ':',
    'fd00:::1',
    'fd00::1::2',
    'fd00::12345',
    'fe80::1%eth0',
    'fd00::/64',
    '1.2.3',
    'fw1',
  ])('refuses %j', (text) => {
    expect(() => parseAddress(text)).toThrow(RangeError);
  });
});

describe('an address', () => {
  it('is the same as itself alone', () => {
    fc.assert(
      fc.property(
        ipv6,
        fc.constantFrom('first', 'second', 'third', 'fourth'),
        fc.nat(31),
        (address, word, bit) => {
          const other = { ...address, [word]: address[word] ^ (1 << bit) };
          expect(isSameAddress(address, { ...address })).toBe(true);
          expect(isSameAddress(address, other)).toBe(false);
          const set = new AddressSet([address, 7]);
          expect([address, other, 7, 8].map((one) => set.has(one))).toEqual([true, false, true, false]);
        },
      ),
    );
    expect(isSameAddress(0, parseAddress('::'))).toBe(false);
    expect(new AddressSet([0]).has(parseAddress('::'))).toBe(false);
  });

  it('stays on the machine or the link if it is of the loopback or link-local', () => {
    const confined = ['127.0.0.1', '127.84.0.50', '::1', 'fe80::1', 'febf:ffff::'];
    const others = [
      '128.0.0.1',
      '1.0.0.127',
      '::',
      '::2',
      '1::1',
      'fec0::1',
      'fe00::1',
      '80fe::1',
      'fd00::1',
    ];
    expect(confined.filter((text) => !isConfined(parseAddress(text)))).toEqual([]);
    expect(others.filter((text) => isConfined(parseAddress(text)))).toEqual([]);
  });
});

describe('parseNetwork', () => {
  it('holds the IPv6 addresses of its prefix, whatever its length, and never one of IPv4', () => {
    fc.assert(
      fc.property(ipv6, fc.nat(128), fc.nat(127), (address, length, bit) => {
        const network = parseNetwork(`${addressText(address)}/${length}`);
        const other = bitFlipped(address, bit);
        expect(inNetworks(address, [network])).toBe(true);
        expect(inNetworks(other, [network])).toBe(bit >= length);
        expect(inNetworks(address.first >>> 0, [network])).toBe(false);
        expect(inNetworks(address, [parseNetwork('0.0.0.0/0')])).toBe(false);
      }),
    );
  });

  it('is within another that is shorter and has its address', () => {
    const within = (inner: string, outer: string): boolean =>
      isWithin(parseNetwork(inner), parseNetwork(outer));
    expect(within('fd00:1::/64', 'fd00::/16')).toBe(true);
    expect(within('fd00::/16', 'fd00:1::/64')).toBe(false);
    expect(within('10.0.0.0/8', '::/0')).toBe(false);
    expect(isWithin(singleNetwork('10.0.0.7'), parseNetwork('10.0.0.0/8'))).toBe(true);
    expect(isWithin(singleNetwork('fd00::7'), singleNetwork('fd00::7'))).toBe(true);
  });

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

  it.each(['fd00::', 'fd00::/', 'fd00::/129', 'fd00::/64/64', 'fd00::%eth0/64', '/64', 'fd00/16'])(
    'refuses %j',
    (text) => {
      expect(() => parseNetwork(text)).toThrow(RangeError);
    },
  );

  it.each(['192.168.0.0', '192.168.0.0/', '192.168.0.0/33', '192.168.0.0/-1', '192.168.0/24', '/24', ''])(
    'refuses %j',
    (text) => {
      expect(() => parseNetwork(text)).toThrow(RangeError);
    },
  );
});

/** @param bit from 0, the first of the address */
const bitFlipped = ({ first, second, third, fourth }: Ipv6Address, bit: number): Ipv6Address => {
  const bytes = new DataView(Int32Array.of(first, second, third, fourth).buffer);
  bytes.setUint8(bit >>> 3, bytes.getUint8(bit >>> 3) ^ (0x80 >>> (bit & 7)));
  const [one = 0, two = 0, three = 0, four = 0] = new Int32Array(bytes.buffer);
  return { first: one, second: two, third: three, fourth: four };
};
