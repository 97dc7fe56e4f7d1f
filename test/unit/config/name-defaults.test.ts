import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { macByName, vridByName } from '../../../src/config/name-defaults.ts';
import { SAMPLE } from './sample.ts';

const DELIVERIES = ['multicast', 'igmp', 'stealth'] as const;
const bare = (cluster: string, delivery: string): string =>
  SAMPLE.replace('edge', cluster)
    .replace(/^keepalived:\n {2}vrid.*\n/m, '')
    .replace(/^ {4}mac: .*$/gm, `    delivery: ${delivery}`);

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);

test.each(DELIVERIES)('what a name gives is what delivery %s takes, if it is written down', (delivery) => {
  fc.assert(
    fc.property(name, (cluster) => {
      // Quoted: a name of digits is a number.
      const drawn = parseConfig(bare(`"${cluster}"`, delivery), 'c.yaml');
      const written = drawn.interfaces.reduce(
        (text, { mac }) =>
          text.replace(`delivery: ${delivery}\n`, `delivery:  ${delivery}\n    mac: "${mac}"\n`),
        bare(`"${cluster}"`, delivery),
      );
      expect(parseConfig(`${written}keepalived: { vrid: ${drawn.keepalived.vrid} }\n`, 'c.yaml')).toEqual(
        drawn,
      );
    }),
    { numRuns: 50 },
  );
});

test('the same name gives the same values for good: they are those of running clusters', () => {
  const { interfaces, keepalived } = parseConfig(bare('edge', 'multicast'), 'c.yaml');
  expect(interfaces.map(({ mac }) => mac)).toEqual(['03:9e:09:6e:8b:20', '03:4c:95:7e:b1:aa']);
  expect(DELIVERIES.map((delivery) => macByName('edge', 'eth1', delivery))).toEqual([
    '03:9e:09:6e:8b:20',
    '01:00:5e:0a:ab:8b',
    '02:9e:09:6e:8b:20',
  ]);
  expect([keepalived.vrid, vridByName('edge', 6), vridByName('edge', 240)]).toEqual([95, 139, 1]);
});

test('two names give other MACs, and VRIDs that are the same or have none in common', () => {
  const names = Array.from({ length: 100 }, (_, index) => `site${index}`);
  const macs = names.flatMap((cluster) =>
    ['eth1', 'eth2'].map((device) => macByName(cluster, device, 'igmp')),
  );
  expect(new Set(macs).size).toBe(200);
  for (const groups of [2, 6, 12, 240]) {
    const firsts = new Set(names.map((cluster) => vridByName(cluster, groups)));
    expect([...firsts].every((vrid) => vrid >= 1 && vrid + groups - 1 <= 255)).toBe(true);
    expect([...firsts].every((vrid) => (vrid - 1) % groups === 0)).toBe(true);
  }
  // 127 places for 100 clusters.
  expect(new Set(names.map((cluster) => vridByName(cluster, 2))).size).toBeGreaterThan(50);
});

test('what is written down counts', () => {
  const { interfaces, keepalived } = parseConfig(SAMPLE, 'c.yaml');
  expect([interfaces[0]?.mac, keepalived.vrid]).toEqual(['01:00:5e:00:01:01', 50]);
});
