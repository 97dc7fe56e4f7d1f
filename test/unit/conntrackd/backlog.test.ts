import { describe, expect, it } from 'vitest';
import { waitingDatagrams, waitingEvents } from '../../../src/conntrackd/backlog.ts';

const NETLINK = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
000000002d71801f 0   0          00000111 9999     0        0     2        0        4
00000000e7ddd6b9 12  34         00000007 1280     0        0     2        0        1591
00000000e7ddd6ba 12  35         00000002 768      0        0     2        0        1592
00000000e7ddd6bb 12  36         00000040 4096     0        0     2        0        1593
00000000e7ddd6bc 12  0          00000000 512      0        0     2        0        1594
`;

const UDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  312: 0100630A:0EC4 00000000:0000 07 00000000:00000A00 00:00000000 00000000     0        0 1234 2 0000000000000000 0
  313: 0100630A:0EC5 00000000:0000 07 00000300:00000B00 00:00000000 00000000     0        0 1235 2 0000000000000000 0
`;

describe('what conntrackd has yet to read', () => {
  it('is in the sockets that listen for flows', () => {
    expect(waitingEvents(NETLINK)).toBe(1280 + 768);
    expect(waitingEvents('sk Eth\n')).toBe(0);
  });

  it('is on its port', () => {
    expect(waitingDatagrams(UDP, 3780)).toBe(0xa00);
    expect(waitingDatagrams(UDP, 3779)).toBe(0);
  });
});
