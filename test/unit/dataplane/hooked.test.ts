import { expect, it } from 'vitest';
import { changeOf, goneOf, type Hooked } from '../../../src/dataplane/hooked.ts';
import { mayBeInterfaces } from '../../../src/dataplane/imprint.ts';

const BEFORE: Hooked = {
  eth1: { index: 2, mac: '02:00:00:00:01:01' },
  eth2: { index: 3, mac: '02:00:00:00:01:02' },
};
const { eth1, eth2 } = BEFORE;
if (eth1 === undefined || eth2 === undefined) throw new Error('both are there');

it('names interfaces that the rules have to be loaded for', () => {
  expect(changeOf(BEFORE, BEFORE)).toBeUndefined();
  expect(changeOf(BEFORE, { eth2 })).toBeUndefined();
  expect(changeOf({ eth2 }, BEFORE)).toBe('eth1 has come');
  expect(changeOf(BEFORE, { eth1: { ...eth1, index: 9 }, eth2 })).toBe('eth1 was made again');
  expect(changeOf(BEFORE, { eth1: { ...eth1, mac: '02:00:00:00:77:01' }, eth2 })).toBe(
    'eth1 has another MAC, 02:00:00:00:77:01',
  );
});

it('names interfaces that may have taken their chains along', () => {
  expect(goneOf(BEFORE, BEFORE)).toBeUndefined();
  expect(goneOf({ eth2 }, BEFORE)).toBeUndefined();
  expect(goneOf(BEFORE, { eth1: { ...eth1, mac: '02:00:00:00:77:01' }, eth2 })).toBeUndefined();
  expect(goneOf(BEFORE, { eth2: { ...eth2, index: 9 } })).toBe('eth1 is gone, eth2 was made again');
});

it('lays nothing on an interface but what it can have taken along', () => {
  const loaded = { 'netdev conntrack_ha': 'a', 'inet conntrack_ha': 'b' };
  expect(mayBeInterfaces(loaded, { ...loaded, 'netdev conntrack_ha': 'c' })).toBe(true);
  expect(mayBeInterfaces(loaded, { ...loaded, 'inet conntrack_ha': 'c' })).toBe(false);
  expect(mayBeInterfaces(loaded, { 'inet conntrack_ha': 'b' })).toBe(false);
});
