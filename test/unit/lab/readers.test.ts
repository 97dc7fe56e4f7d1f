import { expect, test } from 'vitest';
import { parseOwnedSet } from '../../lab/rig/owned-set.ts';
import { parseCounters } from '../../lab/rig/switch.ts';
import { Numbers } from '../../lab/traffic/numbers.ts';
import { patternAt } from '../../lab/traffic/pattern.ts';
import { parsePingLine } from '../../lab/traffic/ping-line.ts';

test.each([
  ['64 bytes from 192.168.1.2: icmp_seq=7 ttl=63 time=0.07 ms', { kind: 'answer', sequence: 7 }],
  ['64 bytes from 192.168.1.2: icmp_seq=7 ttl=63 time=0.09 ms (DUP!)', { kind: 'answer', sequence: 7 }],
  ['no answer yet for icmp_seq=12', { kind: 'unanswered', sequence: 12 }],
  ['From 192.168.0.5 icmp_seq=3 Destination Host Unreachable', undefined],
  ['PING 192.168.1.2 (192.168.1.2) from 192.168.0.2 : 56(84) bytes of data.', undefined],
  ['', undefined],
])('ping says %j', (line, event) => {
  expect(parsePingLine(line)).toEqual(event);
});

test('numbers are told apart from those that came before, and forgotten in the end', () => {
  const numbers = new Numbers();
  expect([0, 2, 1, 2, 0].map((number) => numbers.add(number))).toEqual([true, true, true, false, false]);
  expect(numbers.add(50_000)).toBe(true);
  expect(numbers.add(3)).toBe(false);
  expect(numbers.add(49_999)).toBe(true);
});

test('the owned set is read however nft writes its elements', () => {
  const listing = (elem?: unknown[]) => JSON.stringify({ nftables: [{ metainfo: {} }, { set: { elem } }] });
  expect(parseOwnedSet(listing(['0:3f', 'none', '0:1']))).toEqual([0, 1, 63]);
  expect(parseOwnedSet(listing([5, 4]))).toEqual([4, 5]);
  expect(parseOwnedSet(listing())).toEqual([]);
  // As nft 1.0.6 lists them: the second has less than a second left.
  const [soon, never] = [{ elem: { val: '0:2', timeout: 2, expires: 0 } }, 'none'];
  expect(parseOwnedSet(listing([{ elem: { val: 9, timeout: 2, expires: 1 } }, soon, never]))).toEqual([
    0, 2, 9,
  ]);
  expect(() => parseOwnedSet(listing(['everything']))).toThrow('got "everything"');
});

test("a port's counters are seen from the machine that is plugged in", () => {
  const text =
    '[{"ifname":"fw1","stats64":{"rx":{"packets":3,"bytes":30},"tx":{"packets":4,"bytes":40}}},{}]';
  expect(parseCounters(text).get('fw1')).toEqual({
    from: { packets: 3, bytes: 30 },
    to: { packets: 4, bytes: 40 },
  });
});

test('the bulk pattern is the same whole or in pieces, and differs by place', () => {
  const whole = patternAt(0, 200_000);
  expect(patternAt(70_000, 1000).equals(whole.subarray(70_000, 71_000))).toBe(true);
  for (const shift of [1, 255, 256, 1448, 4096, 65_536]) {
    expect(patternAt(shift, 1000).equals(whole.subarray(0, 1000))).toBe(false);
  }
});
