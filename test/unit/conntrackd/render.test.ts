import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ignoredAddresses, renderConntrackd, Unrenderable } from '../../../src/conntrackd/render.ts';
import { parseConfiguration } from '../../../src/conntrackd/syntax.ts';
import { cached, dual, dualSnat, edge, fw1, fw2, three, withoutSnat } from './cluster.ts';

describe('renderConntrackd', () => {
  it('prints the shipped example for the first node of the example cluster', async () => {
    const example = await readFile(new URL('../../../conf/conntrackd.conf.example', import.meta.url), 'utf8');
    expect(renderConntrackd(edge, fw1)).toBe(example);
  });

  it('swaps the addresses and takes the device of the other node', () => {
    const config = { ...edge, nodes: [fw1, { ...fw2, devices: { eth3: 'eno4' } }] };
    const [, second = fw2] = config.nodes;
    const text = renderConntrackd(config, second);
    expect(text).toMatch(/IPv4_address 10\.99\.0\.2\n\s+IPv4_Destination_Address 10\.99\.0\.1\n/);
    expect(text).toContain('Interface eno4\n');
  });

  it('replicates ICMP only without SNAT', () => {
    expect(renderConntrackd(edge, fw1)).not.toMatch(/^\s*ICMP$/m);
    expect(renderConntrackd(withoutSnat, fw1)).toMatch(/^\s*ICMP$/m);
  });

  it('replicates ICMPv6 only where there is IPv6 without SNAT, under the name that /etc/protocols has', () => {
    expect(renderConntrackd(withoutSnat, fw1)).not.toContain('IPv6-ICMP');
    const text = renderConntrackd(dual, fw1);
    expect(text).toContain('# Not ICMP: the id');
    expect(text).toMatch(/Protocol Accept \{\n\s+TCP\n\s+UDP\n\s+IPv6-ICMP\n\s+\}/);
    const translated = renderConntrackd(dualSnat, fw1);
    expect(translated).toContain('# Not ICMP, not IPv6-ICMP: the id');
    expect(translated).toMatch(/Protocol Accept \{\n\s+TCP\n\s+UDP\n\s+\}/);
  });

  it('keeps the external cache and a log of commits with replicas: cache', () => {
    const text = renderConntrackd(cached, fw1);
    expect(text).toContain('DisableExternalCache off\n');
    expect(text).toContain('LogFile /var/log/conntrackd.log\n');
    const elsewhere = { ...cached, paths: { ...cached.paths, conntrackd: '/run/a.b/c.sock' } };
    expect(renderConntrackd(elsewhere, fw1)).toContain('LogFile /run/a.b/c.log\n');
  });

  it('is clean in its own eyes', () => {
    expect(parseConfiguration(renderConntrackd(edge, fw1)).problems).toEqual([]);
    expect(parseConfiguration(renderConntrackd(dual, fw1)).problems).toEqual([]);
  });

  it('keeps the lock beside a socket that is not the usual one', () => {
    const config = { ...edge, paths: { ...edge.paths, conntrackd: '/run/a.b/c.sock' } };
    expect(renderConntrackd(config, fw1)).toContain('LockFile /run/a.b/c.lock\n');
    expect(renderConntrackd(edge, fw1)).toContain('LockFile /var/lock/conntrackd.lock\n');
  });

  it.each([
    ['an interface that the lexer takes for a number', { devices: { eth3: '3com' } }, '/run/c.sock'],
    ['a blank in the path', {}, '/run/my socket'],
    ['a path longer than sun_path', {}, `/${'x'.repeat(107)}`],
    ['a relative path', {}, 'run/c.sock'],
  ])('refuses %s', (_, node, conntrackd) => {
    const config = { ...edge, paths: { ...edge.paths, conntrackd } };
    expect(() => renderConntrackd(config, { ...fw1, ...node })).toThrow(Unrenderable);
  });

  it('has three nodes send to all by multicast, unacknowledged', () => {
    const text = renderConntrackd(three, fw2);
    expect(text).toContain('Mode NOTRACK {');
    expect(text).not.toMatch(/FTFW|ResendQueueSize|ACKWindowSize|UDP Default/);
    expect(text).toMatch(
      /Multicast \{\n\s+IPv4_address 225\.0\.0\.50\n\s+Group 3780\n\s+IPv4_interface 10\.99\.0\.2\n/,
    );
  });
});

describe('ignoredAddresses', () => {
  it("names the node's own as well: connections between the nodes are nobody else's", () => {
    expect(ignoredAddresses(edge, ['10.99.0.1', '192.168.0.241']).at(-1)).toBe('192.168.0.241');
    expect(renderConntrackd(edge, fw1, ['192.168.0.241'])).toContain('\t\t\tIPv4_address 192.168.0.241\n');
  });

  it('names IPv6 addresses with their own directive, in hexadecimal, and what stays on the link', () => {
    expect(ignoredAddresses(dualSnat, ['::ffff:10.0.0.1', 'FD00:1:0:0::0051'])).toEqual([
      ...['127.0.0.1', '::1', 'fe80::/10', '10.99.0.1', '10.99.0.2'],
      ...['192.168.0.5', 'fd00:1::5', '192.168.1.5', 'fd00:2::5', '::ffff:a00:1', 'fd00:1::51'],
    ]);
    const text = renderConntrackd(dual, fw1);
    expect(text).toContain('\t\t\tIPv6_address fe80::/10\n');
    expect(text).toContain('\t\t\tIPv4_address 192.168.0.5\n\t\t\tIPv6_address fd00:1::5\n');
  });

  it('names each address of the firewalls once', () => {
    expect(ignoredAddresses(edge)).toEqual([
      '127.0.0.1',
      '10.99.0.1',
      '10.99.0.2',
      '192.168.0.5',
      '192.168.1.5',
    ]);
  });
});
