import { describe, expect, it } from 'vitest';
import { destinationsOfIptables } from '../../../../src/dataplane/others/iptables-rules.ts';
import { destinationsOfNft } from '../../../../src/dataplane/others/nft-rules.ts';

const port = (first: number, last = first) => ({ first, last });
const BASE = { chain: { name: 'pre', type: 'nat', hook: 'prerouting' } };
const DPORT = { payload: { protocol: 'tcp', field: 'dport' } };
const equal = (left: object, right: unknown) => ({ match: { op: '==', left, right } });
const daddr = (right: unknown) => equal({ payload: { protocol: 'ip', field: 'daddr' } }, right);

const listed = (...objects: readonly object[]) =>
  destinationsOfNft(
    JSON.stringify({
      nftables: [
        { metainfo: { version: '1.0.6' } },
        { table: { family: 'ip', name: 'admin', handle: 1 } },
        BASE,
        ...objects,
      ],
    }),
  ).found;
const rule = (chain: string, ...expr: readonly object[]) => ({ rule: { chain, handle: 2, expr } });
const where = 'table ip admin, chain pre';

describe('a table of nftables', () => {
  it('translates what a rule matches', () => {
    const found = listed(
      rule(
        'pre',
        equal({ meta: { key: 'iifname' } }, 'eth2'),
        daddr({ set: ['192.168.1.5', '192.168.1.6'] }),
        equal(DPORT, { set: [53, { range: [100, 200] }] }),
        { counter: { packets: 1, bytes: 1 } },
        { dnat: { addr: '192.168.0.80', port: 80 } },
      ),
    );
    expect(found).toEqual([
      {
        where,
        devices: ['eth2'],
        addresses: ['192.168.1.5', '192.168.1.6'],
        protocols: ['tcp'],
        ports: [port(53), port(100, 200)],
        to: '192.168.0.80',
        toPort: 80,
      },
    ]);
  });

  it('translates by maps, named and not', () => {
    const found = listed(
      { map: { name: 'web', elem: [[8081, '192.168.0.81']] } },
      rule('pre', { dnat: { addr: { map: { key: DPORT, data: '@web' } } } }),
      rule('pre', {
        dnat: { addr: { map: { key: DPORT, data: { set: [[8082, { concat: ['192.168.0.82', 80] }]] } } } },
      }),
    );
    expect(found).toMatchObject([
      { ports: [port(8081)], to: '192.168.0.81' },
      { ports: [port(8082)], to: '192.168.0.82', toPort: 80 },
    ]);
  });

  it('translates in chains that packets get to, with what they were asked on the way, and in no others', () => {
    const jump = (target: string) => ({ jump: { target } });
    const found = listed(
      rule('pre', equal({ meta: { key: 'iifname' } }, 'eth2'), {
        vmap: { key: DPORT, data: { set: [[80, { goto: { target: 'web' } }]] } },
      }),
      rule('web', jump('pre'), { dnat: { addr: '192.168.0.80' } }),
      rule('elsewhere', { dnat: { addr: '192.168.0.81' } }),
    );
    expect(found).toMatchObject([
      { where: 'table ip admin, chain web', devices: ['eth2'], to: '192.168.0.80' },
    ]);
  });

  it('translates in chains that a named map leads to', () => {
    const found = listed(
      { map: { name: 'services', elem: [[80, { goto: { target: 'web' } }]] } },
      rule('pre', { vmap: { key: DPORT, data: '@services' } }),
      rule('web', { dnat: { addr: '192.168.0.80' } }),
    );
    expect(found).toMatchObject([{ where: 'table ip admin, chain web', to: '192.168.0.80' }]);
  });

  it('translates to both ends of a range', () => {
    const range = { range: ['192.168.0.80', '192.168.0.89'] };
    const found = listed(
      rule('pre', { dnat: { addr: range, port: 8080 } }),
      rule('pre', { dnat: { addr: { map: { key: DPORT, data: { set: [[8082, range]] } } } } }),
    );
    expect(found).toMatchObject([
      { to: '192.168.0.80', toPort: 8080 },
      { to: '192.168.0.89', toPort: 8080 },
      { to: '192.168.0.80', ports: [port(8082)] },
      { to: '192.168.0.89', ports: [port(8082)] },
    ]);
  });

  it('asks nothing where it isn’t understood', () => {
    const unlike = { match: { op: '!=', left: { meta: { key: 'iifname' } }, right: 'docker0' } };
    const [found] = listed(
      rule('pre', unlike, daddr('@published'), equal({ ct: { key: 'mark' } }, 1), {
        dnat: { addr: '192.168.0.80' },
      }),
    );
    expect(found).toMatchObject({ to: '192.168.0.80' });
    expect([found?.devices, found?.addresses, found?.ports]).toEqual([undefined, undefined, undefined]);
  });

  it('is refused if it is none', () => {
    expect(() => destinationsOfNft('')).toThrow(SyntaxError);
    expect(() => destinationsOfNft('{}')).toThrow(/nftables/);
  });
});

describe('a listing of iptables', () => {
  const listing = (...rules: readonly string[]) =>
    destinationsOfIptables(['*nat', ...rules, 'COMMIT'].join('\n')).found;

  it('translates what a rule matches', () => {
    expect(
      listing(
        '-A PREROUTING -d 192.168.1.5/32 -i eth2 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.0.80:80',
      ),
    ).toEqual([
      {
        where: 'iptables, table nat, chain PREROUTING',
        devices: ['eth2'],
        addresses: ['192.168.1.5'],
        protocols: ['tcp'],
        ports: [port(8080)],
        to: '192.168.0.80',
        toPort: 80,
      },
    ]);
  });

  it('translates in chains that packets get to, and in no others', () => {
    const found = listing(
      '-A PREROUTING ! -i docker0 -p udp -m multiport --dports 53,100:110 -g D',
      '-A D -j DNAT --to-destination 192.168.0.80',
      '-A OUTPUT -j DNAT --to-destination 192.168.0.81',
      '-A POSTROUTING -j MASQUERADE',
    );
    expect(found).toMatchObject([
      { protocols: ['udp'], ports: [port(53), port(100, 110)], to: '192.168.0.80' },
    ]);
    expect(found[0]?.devices).toBeUndefined();
  });

  it.each([
    ['[fd00:1::80]:8080', [{ to: 'fd00:1::80', toPort: 8080 }]],
    ['fd00:1::80', [{ to: 'fd00:1::80', toPort: undefined }]],
    [
      '192.168.0.80-192.168.0.81:80-90',
      [
        { to: '192.168.0.80', toPort: 80 },
        { to: '192.168.0.81', toPort: 80 },
      ],
    ],
  ])('translates to %s', (destination, targets) => {
    expect(listing(`-A PREROUTING -j DNAT --to-destination ${destination}`)).toMatchObject(targets);
  });
});

describe('rules that lead to each other in many ways', () => {
  /** Each chain leads to the next one twice: 2^depth ways. */
  const ladder = (depth: number) =>
    Array.from(
      { length: depth },
      (_, index) => `-A ${index === 0 ? 'PREROUTING' : `C${index}`} -j C${index + 1}`,
    )
      .flatMap((line) => [line, line])
      .join('\n');

  it('are followed, and it is said where that ended before all was seen', () => {
    expect(destinationsOfIptables(ladder(5)).isWhole).toBe(true);
    expect(destinationsOfIptables(ladder(30)).isWhole).toBe(false);
  });

  it('don’t take longer than their number', () => {
    const lines = Array.from({ length: 50_000 }, () => '-A PREROUTING -j DNAT --to-destination 192.168.0.80');
    const begin = performance.now();
    expect(destinationsOfIptables(lines.join('\n')).found).toHaveLength(50_000);
    // Copying what is there for each took half a minute.
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});
