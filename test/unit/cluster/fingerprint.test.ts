import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../../src/cluster/fingerprint.ts';
import { flow, UDP } from '../../support/flows.ts';

const base = flow('192.168.0.20:4000', '192.168.1.2:80', '192.168.1.5:2000');

const aged = { ...base, status: 14, timeout: 431_999 };

describe('fingerprint', () => {
  it('is a whole number of at most 52 bits, and the same for what a node doesn’t share with the other', () => {
    expect(fingerprint(base)).toBe(fingerprint(aged));
    expect(Number.isSafeInteger(fingerprint(base))).toBe(true);
    expect(fingerprint(base)).toBeLessThan(2 ** 52);
  });

  it('differs for every part of both tuples', () => {
    const others = [
      flow('192.168.0.21:4000', '192.168.1.2:80', '192.168.1.5:2000'),
      flow('192.168.0.20:4001', '192.168.1.2:80', '192.168.1.5:2000'),
      flow('192.168.0.20:4000', '192.168.1.3:80', '192.168.1.5:2000'),
      flow('192.168.0.20:4000', '192.168.1.2:81', '192.168.1.5:2000'),
      flow('192.168.0.20:4000', '192.168.1.2:80', '192.168.1.6:2000'),
      flow('192.168.0.20:4000', '192.168.1.2:80', '192.168.1.5:2001'),
      flow('192.168.0.20:4000', '192.168.1.2:80', '192.168.1.5:2000', UDP),
    ];
    expect(new Set([base, ...others].map(fingerprint)).size).toBe(others.length + 1);
  });

  it('differs for every part of both tuples of an IPv6 flow', () => {
    const texts = [
      ['[fd00::20]:4000', '[fd00:1::2]:80', '[fd00:1::5]:2000'],
      ['[fd00::21]:4000', '[fd00:1::2]:80', '[fd00:1::5]:2000'],
      ['[fd00:0:1::20]:4000', '[fd00:1::2]:80', '[fd00:1::5]:2000'],
      ['[fd00::1:0:0:20]:4000', '[fd00:1::2]:80', '[fd00:1::5]:2000'],
      ['[fd00::1:0:20]:4000', '[fd00:1::2]:80', '[fd00:1::5]:2000'],
      ['[fd00::20]:4000', '[fd00:1::3]:80', '[fd00:1::5]:2000'],
      ['[fd00::20]:4000', '[fd00:1::2]:80', '[fd00:1::6]:2000'],
      ['[fd00::20]:4000', '[fd00:1::2]:80', '[fd00:1::5]:2001'],
    ] as const;
    const hashes = texts.map(([from, to, translated]) => fingerprint(flow(from, to, translated)));
    expect(new Set(hashes).size).toBe(texts.length);
    expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash < 2 ** 52)).toBe(true);
  });

  it('keeps 200 000 neighbouring flows apart', () => {
    const seen = new Set<number>();
    for (let host = 0; host < 200; host++) {
      for (let port = 0; port < 1000; port++) {
        seen.add(fingerprint(flow(`192.168.0.${host}:${1024 + port}`, '192.168.1.2:80')));
      }
    }
    expect(seen.size).toBe(200_000);
  });
});
