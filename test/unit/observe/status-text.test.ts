import { expect, it } from 'vitest';
import type { ComparisonStatus, Status } from '../../../src/observe/status.ts';
import { statusText } from '../../../src/observe/status-text.ts';

const AT = '2026-11-23T00:29:04.537Z';

const lineOf = (comparing: ComparisonStatus | null, start = 'peer'): string | undefined => {
  const status: Status = {
    node: 'fw1',
    manager: { kind: 'none', alive: true },
    drained: false,
    groups: [],
    peers: [{ name: 'fw2', reachable: true }],
    conntrackd: 'ok',
    verified: [{ peer: 'fw2', synced: true, flows: 80, missing: 0, at: AT }],
    comparing,
    commit: null,
    refused: 0,
    legs: [{ name: 'eth1', hearing: 'heard', heard: { fw2: 420, fw3: null } }],
    warnings: [],
  };
  return statusText(status)
    .split('\n')
    .find((line) => line.startsWith(start));
};

it.each([
  [null, ''],
  [{ peer: 'fw3', round: 1, percent: 3, flows: null, missing: null }, ''],
  [{ peer: 'fw2', round: 1, percent: 0, flows: null, missing: null }, '; comparing, round 1: 0 %'],
  [
    { peer: 'fw2', round: 2, percent: 41, flows: 90, missing: 7 },
    '; comparing, round 2: 41 % of 90 flows, 7 were missing',
  ],
])('tells the comparison with a peer while it is under way: %j', (comparing, text) => {
  expect(lineOf(comparing)).toBe(`peer fw2: reachable; 80 flows compared at ${AT}, 0 missing${text}`);
});

it('tells of each leg when each peer was last heard there', () => {
  expect(lineOf(null, 'leg')).toBe('leg eth1: fw2 heard 0.4 s ago, fw3 never heard');
});
