import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfiguration } from '../../../src/conntrackd/check.ts';
import { renderConntrackd } from '../../../src/conntrackd/render.ts';
import { cached, dual, dualSnat, edge, fw1, fw2, helping, three, withoutSnat } from './cluster.ts';

const rendered = renderConntrackd(edge, fw1);

/** The number of the first line that holds `part`. */
const lineWith = (text: string, part: string): number =>
  text.split('\n').findIndex((line) => line.includes(part)) + 1;

describe('checkConfiguration', () => {
  it("wants the node's own addresses in Address Ignore", () => {
    const own = ['192.168.0.241'];
    expect(checkConfiguration(renderConntrackd(edge, fw1, own), edge, fw1, own)).toEqual([]);
    expect(checkConfiguration(rendered, edge, fw1, own).map(({ what }) => what)).toEqual([
      '192.168.0.241 is not in Address Ignore',
    ]);
  });

  it('finds nothing in what is rendered', () => {
    expect(checkConfiguration(rendered, edge, fw1)).toEqual([]);
    expect(checkConfiguration(renderConntrackd(withoutSnat, fw2), withoutSnat, fw2)).toEqual([]);
    expect(checkConfiguration(renderConntrackd(three, fw2), three, fw2)).toEqual([]);
    expect(checkConfiguration(renderConntrackd(dual, fw2), dual, fw2)).toEqual([]);
    expect(checkConfiguration(renderConntrackd(dualSnat, fw2), dualSnat, fw2)).toEqual([]);
  });

  it('wants what helpers expect to be replicated', () => {
    const text = renderConntrackd(helping, fw1);
    expect(checkConfiguration(text, helping, fw1)).toEqual([]);
    const on = text.replace(/ExpectationSync \{[^}]*\}/, 'ExpectationSync on');
    expect(checkConfiguration(on, helping, fw1)).toEqual([]);
    const some = text.replace('\t\t\tsip\n', '');
    expect(checkConfiguration(some, helping, fw1)).toEqual([
      expect.objectContaining({
        what: 'ExpectationSync without sip',
        line: lineWith(some, 'ExpectationSync'),
        mend: 'Options { ExpectationSync { ftp sip tftp } }',
      }),
    ]);
    const none = renderConntrackd(withoutSnat, fw1);
    expect(checkConfiguration(none, helping, fw1).map(({ what }) => what)).toEqual(['no ExpectationSync']);
  });

  it.each([
    ['Mode NOTRACK', 'Mode FTFW', 'Mode FTFW'],
    ['Multicast {', 'UDP {', 'the dedicated link is UDP'],
    ['Group 3780', 'Group 3781', 'Group 3781'],
    ['IPv4_interface 10.99.0.2', 'IPv4_interface 10.99.0.1', 'IPv4_interface 10.99.0.1'],
    ['IPv4_address 225.0.0.50', 'IPv4_address 225.0.0.51', 'IPv4_address 225.0.0.51'],
    ['DisableExternalCache on', 'DisableExternalCache off', 'the external cache is enabled'],
  ])('of three nodes names the line of %j turned into %j', (from, to, what) => {
    const text = renderConntrackd(three, fw2).replace(from, to);
    expect(checkConfiguration(text, three, fw2)).toEqual([
      expect.objectContaining({ what, line: lineWith(text, to) }),
    ]);
  });

  it.each([
    ['StartupResync off', 'StartupResync Yes', 'StartupResync on'],
    ['DisableExternalCache on', 'DisableExternalCache no', 'the external cache is enabled'],
    ['ResendQueueSize 1048576', 'ResendQueueSize 131072', 'ResendQueueSize 131072'],
    ['PurgeTimeout 2147483647', 'PurgeTimeout 60', 'PurgeTimeout 60'],
    ['ACKWindowSize 300', 'CommitTimeout 180', 'CommitTimeout is set'],
    ['Mode FTFW', 'Mode NOTRACK', 'Mode NOTRACK'],
    ['UDP Default', 'Multicast Default', 'the dedicated link is Multicast'],
    ['IPv4_address 10.99.0.1', 'IPv4_address 10.99.0.9', 'IPv4_address 10.99.0.9'],
    [
      'IPv4_Destination_Address 10.99.0.2',
      'IPv4_Destination_Address 10.99.0.1',
      'IPv4_Destination_Address 10.99.0.1',
    ],
    ['Port 3780', 'Port 3781', 'Port 3781'],
    ['Interface eth3', 'Interface eth4', 'Interface eth4'],
    ['TCPWindowTracking off', 'TCPWindowTracking On', 'TCPWindowTracking on'],
    ['HashSize 131072', 'HashSize 8192', 'HashSize 8192'],
    ['NetlinkOverrunResync off', 'NetlinkOverrunResync 60', 'NetlinkOverrunResync 60'],
    ['NetlinkEventsReliable off', 'NetlinkEventsReliable yes', 'NetlinkEventsReliable on'],
    ['EventIterationLimit 1', 'EventIterationLimit 100', 'EventIterationLimit 100'],
    ['LockFile /var/lock/conntrackd.lock', 'PollSecs 15', 'PollSecs is set'],
    ['NetlinkBufferSize 67108864', 'NetlinkBufferSize 2097152', 'NetlinkBufferSize 2097152'],
    ['Path /var/run/conntrackd.sock', 'Path /run/other.sock', 'Path /run/other.sock'],
  ])('names the line of %j turned into %j', (from, to, what) => {
    const text = rendered.replace(from, to);
    expect(checkConfiguration(text, edge, fw1)).toEqual([
      expect.objectContaining({ what, line: lineWith(text, to) }),
    ]);
  });

  it.each([
    ['DisableExternalCache off', 'DisableExternalCache off', []],
    ['DisableExternalCache off', 'DisableExternalCache on', ['the external cache is disabled']],
    ['DisableExternalCache off', '', []],
    ['LogFile /var/log/conntrackd.log', 'LogFile on', []],
    ['LogFile /var/log/conntrackd.log', 'LogFile off', ['LogFile off']],
    ['LogFile /var/log/conntrackd.log', 'LogFile /var/log/other', ['LogFile /var/log/other']],
    ['LogFile /var/log/conntrackd.log', '', ['LogFile is not set']],
    ['HashSize 131072', 'HashSize 8192', ['HashSize 8192']],
    ['ACKWindowSize 300', 'CommitTimeout 180', ['CommitTimeout is set']],
  ])('judges replicas: cache: %j turned into %j', (from, to, whats) => {
    const text = renderConntrackd(cached, fw1).replace(from, to);
    expect(checkConfiguration(text, cached, fw1).map(({ what }) => what)).toEqual(whats);
  });

  it.each([
    ['StartupResync off', undefined],
    ['DisableExternalCache on', 'the external cache is enabled'],
    ['ResendQueueSize 1048576', 'ResendQueueSize is not set (131072)'],
    ['PurgeTimeout 2147483647', 'PurgeTimeout is not set (60)'],
    ['Port 3780', 'Port is missing'],
    ['NetlinkOverrunResync off', 'NetlinkOverrunResync is not set (on)'],
    ['NetlinkEventsReliable off', undefined],
    ['NetlinkBufferSize 67108864', 'NetlinkBufferSize is not set'],
    ['HashSize 131072', undefined],
    ['Syslog on', 'neither Syslog nor LogFile'],
    ['Path /var/run/conntrackd.sock', 'Path is missing'],
  ])("knows conntrackd's default without %j", (directive, what) => {
    const findings = checkConfiguration(rendered.replace(directive, ''), edge, fw1);
    expect(findings.map((finding) => finding.what)).toEqual(what === undefined ? [] : [what]);
  });

  it.each([
    ['Protocol Accept {', 'Protocol Accept {\n ICMP', ['ICMP is replicated']],
    ['Protocol Accept {', 'Protocol Accept {\n gre', ['GRE is replicated']],
    ['Protocol Accept {', 'Protocol Accept {\n SCTP', ['SCTP is replicated']],
    ['\t\t\tUDP\n', '', ['UDP is not replicated']],
    [/Protocol Accept \{[^}]*\}/, 'Protocol Ignore { GRE SCTP }', ['ICMP is replicated']],
    [/Protocol Accept \{[^}]*\}/, '', ['ICMP is replicated', 'GRE is replicated', 'SCTP is replicated']],
    ['Address Ignore', 'Address Accept', ['Address Accept']],
    ['\t\t\tIPv4_address 192.168.1.5\n', '', ['192.168.1.5 is not in Address Ignore']],
    ['IPv4_address 192.168.0.5', 'IPv4_address 192.168.0.0/24', ['Address Ignore has 192.168.0.0/24']],
    [
      'IPv4_address 192.168.0.5',
      'IPv4_address 192.168.0.5 IPv4_address 0.0.0.0/0',
      ['Address Ignore has 0.0.0.0/0'],
    ],
    ['IPv4_address 127.0.0.1', 'IPv4_address 127.0.0.1/8', []],
    ['Address Ignore', 'State Accept { ESTABLISHED for TCP } Address Ignore', ['State in the Filter']],
    [/\tFilter From[\s\S]*\n\t\}\n/, '', ['no section Filter']],
  ])('judges the filter: %j turned into %j', (from, to, whats) => {
    const findings = checkConfiguration(rendered.replace(from, to), edge, fw1);
    expect(findings.map(({ what }) => what)).toEqual(whats);
  });

  it.each([
    ['Protocol Accept {', 'Protocol Accept {\n IPv6-ICMP', ['IPv6-ICMP is replicated']],
    ['Protocol Accept {', 'Protocol Accept {\n ipv6-icmp', ['IPv6-ICMP is replicated']],
    [/Protocol Accept \{[^}]*\}/, 'Protocol Ignore { GRE SCTP ICMP }', ['IPv6-ICMP is replicated']],
    ['\t\t\tIPv6_address fd00:1::5\n', '', ['fd00:1::5 is not in Address Ignore']],
    ['\t\t\tIPv6_address ::1\n', '', ['::1 is not in Address Ignore']],
    ['IPv6_address fe80::/10', 'IPv6_address fe80::/64', ['fe80::/10 is not in Address Ignore']],
    ['IPv6_address fe80::/10', 'IPv6_address fe80::/9', []],
    ['IPv6_address fd00:1::5', 'IPv6_address FD00:1:0::5/128', []],
    ['IPv6_address fd00:1::5', 'IPv4_address fd00:1::5', ['fd00:1::5 is not in Address Ignore']],
    ['IPv6_address fd00:1::5', 'IPv6_address fd00:1::/64', ['Address Ignore has fd00:1::/64']],
    ['IPv6_address ::1', 'IPv6_address ::/0', ['Address Ignore has ::/0']],
  ])('judges the filter of IPv6: %j turned into %j', (from, to, whats) => {
    const findings = checkConfiguration(renderConntrackd(dualSnat, fw1).replace(from, to), dualSnat, fw1);
    expect(findings.map(({ what }) => what)).toEqual(whats);
  });

  it('says what to accept where one family is translated and the other is not', () => {
    const text = renderConntrackd(dual, fw1).replace('Protocol Accept {', 'Protocol Accept {\n ICMP');
    expect(checkConfiguration(text, dual, fw1)).toEqual([
      expect.objectContaining({ what: 'ICMP is replicated', mend: 'Protocol Accept { TCP UDP IPv6-ICMP }' }),
    ]);
  });

  it('lets ICMP be where nothing is translated', () => {
    const text = renderConntrackd(withoutSnat, fw1);
    expect(text).toContain('ICMP');
    expect(checkConfiguration(text, withoutSnat, fw1)).toEqual([]);
  });

  it('reads directives on one line, braces on their own and values on the next line', () => {
    const squeezed = rendered.replaceAll(/#.*$/gm, '').replaceAll(/\s+/g, ' ');
    const stretched = rendered.replaceAll(/#.*$/gm, '').replaceAll(/[ \t]+/g, '\n');
    expect(checkConfiguration(squeezed, edge, fw1)).toEqual([]);
    expect(checkConfiguration(stretched, edge, fw1)).toEqual([]);
  });

  it('takes the last of several directives, and all of several sections', () => {
    const repeated = rendered.replace('StartupResync off', 'StartupResync on\nStartupResync off');
    expect(checkConfiguration(repeated, edge, fw1)).toEqual([]);
    const overridden = `${rendered}General { NetlinkOverrunResync on }\n`;
    expect(checkConfiguration(overridden, edge, fw1)).toEqual([
      expect.objectContaining({
        what: 'NetlinkOverrunResync on',
        line: lineWith(overridden, 'NetlinkOverrunResync on'),
      }),
    ]);
  });

  it("finds Debian's configuration to replicate nothing", () => {
    const debian =
      'General {\n\tHashSize 8192\n\tHashLimit 65535\n\tSyslog on\n\tLockFile /var/lock/conntrackd.lock\n' +
      '\tUNIX {\n\t\tPath /var/run/conntrackd.sock\n\t\tBacklog 20\n\t}\n\tSocketBufferSize 262142\n' +
      '\tSocketBufferSizeMaxGrown 655355\n\tSystemd on\n}\n\nStats {\n\tLogFile on\n}\n';
    expect(checkConfiguration(debian, edge, fw1).map(({ what }) => what)).toEqual([
      'no section Sync',
      'NetlinkOverrunResync is not set (on)',
      'EventIterationLimit is not set (100)',
      'no section Filter',
      'HashSize 8192',
      'NetlinkBufferSize 262142',
    ]);
  });

  it.each([
    ['}', 1, '"}" without "{"'],
    ['{', 1, '"{" without a section before it'],
    ['Sync {\n', 1, 'Sync is not closed by "}"'],
    ['\nhashsighs 5\n', 2, 'conntrackd knows no "hashsighs" here'],
    ['\nhashsize 5\n', 2, 'conntrackd knows no "hashsize", for it tells capitals apart; write HashSize'],
    [
      'Sync {\nUDP {\nIPv4_address 10.99.0.1\nIPv4_destination_address 10.99.0.2\n}\n}\n',
      4,
      'conntrackd knows no "IPv4_destination_address", for it tells capitals apart; write IPv4_Destination_Address',
    ],
    ['General { UNIX { Path /run/x.sock}\n', 1, 'UNIX is not closed by "}"'],
  ])('reports %j', (text, line, what) => {
    expect(checkConfiguration(text, edge, fw1)).toContainEqual(expect.objectContaining({ line, what }));
  });

  it('takes a word that a directive may have for what it is, whatever its capitals', () => {
    const group = rendered.replace('General {', 'General {\n\tGroup sync');
    expect(checkConfiguration(group, edge, fw1)).toEqual([]);
    const helper = `${rendered}\nHelper {\n\tType ftp inet tcp {\n\t\tQueueNum 0\n\t}\n}\n`;
    expect(checkConfiguration(helper, edge, fw1)).toEqual([]);
  });

  it('never throws, whatever the text', () => {
    const words = [
      ...new Set(rendered.split(/\s+/)),
      '{',
      '}',
      '\n',
      '#',
      '/',
      '0.0.0.0/99',
      '999.1.1.1',
      'IPv6_address',
      '::/99',
      'fe80::1%eth0',
      '/32',
    ];
    const scrambled = fc.array(fc.constantFrom(...words), { maxLength: 80 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(fc.oneof(scrambled, fc.string({ unit: 'binary' })), (text) => {
        checkConfiguration(text, edge, fw1);
      }),
      { numRuns: 2000 },
    );
  });
});
