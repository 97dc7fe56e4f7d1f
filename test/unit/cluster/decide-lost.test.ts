import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/cluster/decide.ts';
import type { GroupView, Wanted } from '../../../src/cluster/snapshot.ts';
import { groupOf, NOW, peerOf, snapshotOf } from '../../support/snapshot.ts';

const MASTER: Wanted = { role: 'owner', since: NOW - 10, by: 'keepalived', word: 'MASTER', force: false };
const BOTH = new Set(['fw1_fw2']);
const ETH1: ReadonlySet<string> = new Set(['eth1']);
const NOTHING: ReadonlySet<string> = new Set();

const verdict = (
  view: Partial<GroupView>,
  owns: boolean,
  here: ReadonlySet<string>,
  there: ReadonlySet<string>,
) => {
  const peer = peerOf({ synced: BOTH, wants: BOTH, lost: there, owns: owns ? BOTH : new Set() });
  return decide(snapshotOf(groupOf({ wanted: MASTER, ...view }), [peer], { lost: here }))[0]?.kind;
};

/** Where VRRP runs over the lost network, both managers say MASTER: the loss decides. */
describe('both managers want a group', () => {
  const owner = (synced: boolean): Partial<GroupView> => ({
    active: 32,
    synced: true,
    request: { from: 'fw2', since: NOW - 200, synced },
  });

  it.each([
    ['its home has lost more', true, ETH1, NOTHING, 'yield'],
    ['its home has lost more, the peer misses states', false, ETH1, NOTHING, 'refuse'],
    ['both have lost the same', true, ETH1, ETH1, 'refuse'],
    ['the peer has lost more', true, NOTHING, ETH1, 'refuse'],
  ] as const)('%s', (_, synced, here, there, kind) => {
    expect(verdict(owner(synced), false, here, there)).toBe(kind);
  });

  it.each([
    ['for long', 2000, 'yield'],
    ['not for long', 1999, 'refuse'],
  ] as const)('its home has lost more %s, the peer misses states', (_, lostFor, kind) => {
    const peer = peerOf({ synced: NOTHING, wants: BOTH, lost: NOTHING });
    const view = groupOf({ wanted: MASTER, ...owner(false) });
    expect(decide(snapshotOf(view, [peer], { lost: ETH1, lostFor }))[0]?.kind).toBe(kind);
  });

  it.each([
    ['for long', NOW - 2000, ETH1, 'ask'],
    ['not for long', NOW - 1999, ETH1, 'stay'],
    ['for long, of an owner that has lost nothing', NOW - 2000, NOTHING, 'stay'],
  ] as const)('and the replica that misses states is MASTER %s', (_, since, there, kind) => {
    expect(verdict({ synced: false, wanted: { ...MASTER, since } }, true, NOTHING, there)).toBe(kind);
  });

  it('and the peer comes first, but has lost more', () => {
    expect(verdict({ ...owner(true), order: ['fw2', 'fw1'] }, false, NOTHING, ETH1)).toBe('refuse');
    expect(verdict({ ...owner(true), order: ['fw2', 'fw1'] }, false, NOTHING, NOTHING)).toBe('yield');
  });

  it('and the one that has lost more does not own it: it does not ask', () => {
    expect(verdict({ synced: true }, true, ETH1, NOTHING)).toBe('stay');
    expect(verdict({ synced: true }, true, ETH1, ETH1)).toBe('ask');
  });
});
