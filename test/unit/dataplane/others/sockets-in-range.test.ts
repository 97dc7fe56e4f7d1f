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

  const ASKED = new Set([1194, 5000]);
  const NAMED = ['udp any address, port 1194'];
  /** Looks of a watch, once they were asked at these seconds. */
  const watched = (...seconds: readonly number[]) => {
    const watch = made();
    const look = (asked: ReadonlySet<number>, second: number, sockets = everywhere) =>
      watch.judge(sockets, asked, second * 1000).map(({ object }) => object);
    for (const second of seconds) expect(look(ASKED, second)).toEqual([]);
    return look;
  };

  it.each([
    ['every second', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 10],
    ['later and later', [0, 2, 6], 14],
  ])('at every address is named once clients go on asking: %s', (_, seconds, last) => {
    expect(watched(...seconds)(ASKED, last)).toEqual(NAMED);
  });

  it.each([
    ['two packets, each seen twice', [0, 1, 12], 13],
    ['three within seconds', [0, 2], 4],
    ['three within minutes', [0, 50], 100],
  ])('at every address isn’t named by what scans send: %s', (_, seconds, last) => {
    expect(watched(...seconds)(ASKED, last)).toEqual([]);
  });

  it('at every address is named until it is gone, or wasn’t asked for ten minutes', () => {
    const look = watched(0, 5);
    expect(look(ASKED, 10)).toEqual(NAMED);
    expect(look(ASKED, 300)).toEqual(NAMED);
    expect(look(NONE, 899)).toEqual(NAMED);
    expect(look(NONE, 900)).toEqual([]);
    expect(look(ASKED, 901)).toEqual([]);
    expect(look(ASKED, 906)).toEqual([]);
    expect(look(ASKED, 911)).toEqual(NAMED);
    expect(look(ASKED, 912, [])).toEqual([]);
    expect(look(ASKED, 913)).toEqual([]);
  });

  it('is never one of a service of the link', () => {
    const ofTheLink = [5353, 5355].map((port) => at(undefined, port));
    expect(made().mustAsk(ofTheLink)).toBe(false);
    expect(objects([at('192.168.1.5', 5353)])).toEqual([]);
    const watch = made();
    for (let now = 0; now < 60_000; now += 1000) {
      expect(watch.judge(ofTheLink, new Set([5353, 5355]), now)).toEqual([]);
    }
  });

  it('is none without SNAT', () => {
    const watch = new SocketsInRange([]);
    expect(watch.mustAsk(everywhere)).toBe(false);
    expect(watch.judge([at('192.168.1.5', 1194)], new Set([1194]), 0)).toEqual([]);
  });
});
