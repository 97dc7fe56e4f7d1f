import { expect, test } from 'vitest';
import { capacitiesOf, capacityText, shortageText } from '../../../src/cluster/capacity.ts';
import { parseConfig } from '../../../src/config/load.ts';

const config = (buckets: number, snat: string) =>
  parseConfig(
    `
cluster: edge
buckets: ${buckets}
nodes: { fw1: { id: 1, sync: 10.99.0.1 }, fw2: { id: 2, sync: 10.99.0.2 }, fw3: { id: 3, sync: 10.99.0.3 } }
sync: { interface: eth3 }
interfaces:
  eth1: { side: inside, mac: "01:00:5e:00:01:01", addresses: [192.168.0.5/24] }
  eth2: { side: outside, mac: "01:00:5e:00:01:02", addresses: [192.168.1.5/24], snat: [${snat}] }
`,
    'c.yaml',
  );

const said = (buckets: number, snat: string) => capacitiesOf(config(buckets, snat)).map(capacityText);

test('one address', () => {
  expect(said(64, '192.168.1.5')).toEqual([
    'snat on eth2: each bucket has 1008 ports, so at most 1008 connections at a time to one address and port of a protocol; 64512 in all',
  ]);
});

test('several addresses, and a family of which there is one', () => {
  expect(said(64, '203.0.113.1, 203.0.113.2, 203.0.113.3, "fd00::1"')).toEqual([
    'snat on eth2 (IPv4): each bucket has 2932 to 3072 ports, so at most 2932 to 3072 connections at a time to one address and port of a protocol; 193536 in all',
    'snat on eth2 (IPv6): each bucket has 1008 ports, so at most 1008 connections at a time to one address and port of a protocol; 64512 in all',
  ]);
});

test('an address for each group', () => {
  const pool = [1, 2, 3, 4, 5, 6].map((last) => `203.0.113.${last}`).join(', ');
  expect(said(64, pool)).toEqual([
    'snat on eth2: each bucket has 64512 ports together with others of its group, so at most 64512 connections at a time to one address and port of a protocol; 387072 in all',
  ]);
});

test('no snat', () => {
  expect(said(64, '')).toEqual([]);
});

test.each([
  [256, '192.168.1.5', 0],
  [512, '192.168.1.5', 1],
  [512, '192.168.1.5, "fd00::1"', 2],
  [1024, '203.0.113.1, 203.0.113.2', 1],
  [1024, '203.0.113.1, 203.0.113.2, 203.0.113.3', 0],
])('%i buckets of %s: %i warnings', (buckets, snat, count) => {
  const warnings = capacitiesOf(config(buckets, snat)).flatMap((one) => shortageText(one) ?? []);
  expect(warnings).toHaveLength(count);
  if (buckets === 1024 && count === 1) {
    expect(warnings[0]).toBe(
      'snat on eth2: each bucket has 126 ports, so at most 126 connections at a time to one address and port of a protocol; 129024 in all; fewer buckets or more snat addresses would leave each more',
    );
  }
});
