import { describe, expect, it } from 'vitest';
import { SocketsInRange } from '../../../../src/dataplane/others/sockets-in-range.ts';
import { parseUdpSockets, type UdpSocket } from '../../../../src/dataplane/others/udp-sockets.ts';

const NONE: ReadonlySet<number> = new Set();

describe('the UDP sockets of this machine', () => {
  it('are those that take what anybody sends', () => {
    const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
  123: 0501A8C0:04AA 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 100 2 0000 0
 2934: 00000000:04AA 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 101 2 0000 0
 2935: 0501A8C0:9C40 08080808:0035 01 00000000:00000000 00:00000000 00000000     0        0 102 2 0000 0
`;
    expect(parseUdpSockets(text)).toEqual([
      { address: '192.168.1.5', port: 1194 },
      { address: undefined, port: 1194 },
    ]);
  });

  it('are those of IPv6 too', () => {
    const zeros = '00000000000000000000000000000000';
    const text = `  1: 090000FD000000000000000005000000:04AA ${zeros}:0000 07 x
  2: ${zeros}:14E9 ${zeros}:0000 07 x
`;
    expect(parseUdpSockets(text)).toEqual([
      { address: expect.stringMatching(/^fd00:9/), port: 1194 },
      { address: undefined, port: 5353 },
    ]);
  });
});

describe('a socket in a range of a bucket', () => {
  const at = (address: string | undefined, port: number): UdpSocket => ({ address, port });
  const everywhere = [at(undefined, 1194)];
  const made = () => new SocketsInRange(['192.168.1.5', 'FD00:9::5']);
  const objects = (sockets: readonly UdpSocket[]) =>
    made()
      .judge(sockets, NONE, 0)
      .map(({ object }) => object);

  it('is named where it is at the SNAT address alone', () => {
    expect(objects([at('192.168.1.5', 1194), at('fd00:9::5', 1024)])).toEqual([
      'udp 192.168.1.5:1194',
      'udp [fd00:9::5]:1024',
    ]);
  });

  it('isn’t one below 1024, nor at another address', () => {
    expect(objects([at('192.168.1.5', 1023), at('192.168.1.251', 1194), at('192.168.0.5', 1194)])).toEqual(
      [],
    );
  });

  it('at every address is named once it was asked twice within a minute, until it is gone', () => {
    const watch = made();
    const look = (asked: ReadonlySet<number>, now: number, sockets: readonly UdpSocket[] = everywhere) =>
      watch.judge(sockets, asked, now).map(({ object }) => object);
    const ASKED = new Set([1194, 5000]);
    expect(look(NONE, 0)).toEqual([]);
    expect(look(ASKED, 1000)).toEqual([]);
    // It may be the same packet still.
    expect(look(ASKED, 2100)).toEqual([]);
    expect(look(NONE, 3100)).toEqual([]);
    expect(look(ASKED, 62_000)).toEqual([]);
    expect(look(ASKED, 64_000)).toEqual(['udp any address, port 1194']);
    expect(look(NONE, 199_000)).toEqual(['udp any address, port 1194']);
    expect(look(ASKED, 200_000, [])).toEqual([]);
    expect(look(ASKED, 202_000)).toEqual([]);
  });

  it('is none without SNAT', () => {
    const watch = new SocketsInRange([]);
    expect(watch.mustAsk(everywhere)).toBe(false);
    expect(watch.judge([at('192.168.1.5', 1194)], new Set([1194]), 0)).toEqual([]);
  });
});
