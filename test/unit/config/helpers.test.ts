import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { check } from './complaints.ts';
import { changed } from './sample.ts';

test('helpers without SNAT, or with an address for each group', () => {
  expect(parseConfig(changed(18, 'helpers: [ftp, sip, tftp]'), 'c.yaml').helpers).toEqual([
    'ftp',
    'sip',
    'tftp',
  ]);
  const pool = '    snat: [192.168.1.5, 203.0.113.7]\nhelpers: [ftp]';
  expect(parseConfig(changed(18, pool), 'c.yaml').helpers).toEqual(['ftp']);
});

const WHY =
  "the kernel chooses the ports of expected connections without regard to the buckets' ranges, so two nodes could choose the same";

check('helpers', [
  [18, 'helpers: ftp', '18:10: helpers: "ftp" is not a list; use [ftp]'],
  [18, 'helpers: [fpt]', '18:11: helpers[0]: "fpt" is not known here; did you mean ftp?'],
  [18, 'helpers: [ftp, h323]', '18:16: helpers[1]: "h323" is not known here; use ftp, sip or tftp'],
  [18, 'helpers: [ftp, ftp]', '18:16: helpers[1]: ftp is there twice; keep one of them'],
  [
    18,
    '    snat: [192.168.1.5]\nhelpers: [ftp]',
    `19:10: helpers: need an address for each group where flows are translated, and eth2 has 1 of IPv4 for 2 groups: ${WHY}; name 2 IPv4 addresses in snat of eth2, or leave helpers out`,
  ],
  [
    18,
    '    snat: [192.168.1.5, 203.0.113.7, "fd00::1"]\nhelpers: [ftp]',
    `19:10: helpers: need an address for each group where flows are translated, and eth2 has 1 of IPv6 for 2 groups: ${WHY}; name 2 IPv6 addresses in snat of eth2, or leave helpers out`,
  ],
  // With a faulty one there may be enough.
  [
    18,
    '    snat: [192.168.1.5, gw]\nhelpers: [ftp]',
    '18:25: interfaces.eth2.snat[1]: "gw" is not an IPv4 or IPv6 address; use an address such as 192.168.1.5 or "fd00:1::5"',
  ],
]);

test('three nodes need six addresses', () => {
  const text = changed(18, '    snat: [192.168.1.5, 203.0.113.7]\nhelpers: [ftp]').replace(
    'sync:\n',
    '  fw3: { id: 3, sync: 10.99.0.3 }\nsync:\n',
  );
  expect(() => parseConfig(text, 'c.yaml')).toThrow(
    /eth2 has 2 of IPv4 for 6 groups.*; name 6 IPv4 addresses in snat of eth2/,
  );
});
