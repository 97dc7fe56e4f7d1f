import { describe, expect, it } from 'vitest';
import { addressWord, parseAddress } from '../../../src/cluster/address.ts';
import { parseExternal } from '../../../src/conntrackd/external-dump.ts';

const ends6 = { src: parseAddress('fd00::3'), dst: parseAddress('fd00::2') };
const ends = { src: addressWord('192.168.0.3'), dst: addressWord('192.168.1.2') };

describe('parseExternal', () => {
  it.each([
    [
      'tcp      6 ESTABLISHED src=192.168.0.3 dst=192.168.1.2 sport=10003 dport=80 [ASSURED] mark=0 [active since 1s]',
      { protocol: 6, ...ends, sport: 10_003, dport: 80 },
    ],
    [
      'udp      17 src=192.168.0.3 dst=192.168.1.2 sport=1000 dport=53 [UNREPLIED] [active since 12s]',
      { protocol: 17, ...ends, sport: 1000, dport: 53 },
    ],
    [
      'icmp     1 src=192.168.0.3 dst=192.168.1.2 type=8 code=0 id=77 [active since 1s]',
      { protocol: 1, ...ends, sport: 77, dport: 8 * 256 },
    ],
    [
      'unknown  4 src=192.168.0.3 dst=192.168.1.2 [active since 1s]',
      { protocol: 4, ...ends, sport: 0, dport: 0 },
    ],
    [
      'udp      17 src=fd00::3 dst=fd00::2 sport=1000 dport=53 [active since 1s]',
      { protocol: 17, ...ends6, sport: 1000, dport: 53 },
    ],
    [
      'icmpv6   58 src=fd00::3 dst=fd00::2 type=128 code=0 id=77 [active since 1s]',
      { protocol: 58, ...ends6, sport: 77, dport: 128 * 256 },
    ],
    ['', undefined],
  ])('reads %j', (line, tuple) => {
    expect(parseExternal(line)).toEqual(tuple);
  });
});
