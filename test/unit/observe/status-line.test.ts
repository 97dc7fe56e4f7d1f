import { expect, test } from 'vitest';
import type { GroupStatus, Status } from '../../../src/observe/status.ts';
import { statusLine } from '../../../src/observe/status-line.ts';

const group = (name: string, role: 'owner' | 'replica'): GroupStatus => ({
  name,
  home: 'fw1',
  buckets: 32,
  owner: null,
  role,
  synced: true,
  since: null,
  reason: '',
});

const well: Status = {
  node: 'fw1',
  manager: { kind: 'keepalived', alive: true },
  drained: false,
  groups: [group('fw1_fw2', 'owner'), group('fw2_fw1', 'replica')],
  peers: [{ name: 'fw2', reachable: true }],
  conntrackd: 'ok',
  verified: [],
  comparing: null,
  commit: null,
  refused: 0,
  legs: [],
  warnings: [],
};
const warning = { code: 'drained', object: 'fw1', text: 'drained' };

test.each<[Partial<Status>, string]>([
  [{}, 'owns 32 of 64 buckets (fw1_fw2)'],
  [
    { groups: [group('fw1_fw2', 'owner'), group('fw2_fw1', 'owner')] },
    'owns 64 of 64 buckets (fw1_fw2, fw2_fw1)',
  ],
  [
    { groups: [group('fw1_fw2', 'replica')], drained: true, warnings: [warning] },
    'owns nothing; drained; 1 warning: conntrack-ha status',
  ],
  [
    {
      manager: { kind: 'keepalived', alive: false },
      peers: [{ name: 'fw2', reachable: false }],
      warnings: [warning, warning],
    },
    "owns 32 of 64 buckets (fw1_fw2); keepalived doesn't run; no word of fw2; 2 warnings: conntrack-ha status",
  ],
  [{ manager: { kind: 'none', alive: false } }, 'owns 32 of 64 buckets (fw1_fw2)'],
])('%j', (other, line) => {
  expect(statusLine({ ...well, ...other })).toBe(line);
});
