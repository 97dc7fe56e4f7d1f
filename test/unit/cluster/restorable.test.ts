import { expect, it } from 'vitest';
import { restorable } from '../../../src/cluster/restorable.ts';
import { groupOf, NOW, peerOf, snapshotOf } from '../../support/snapshot.ts';

const HELD = new Set([0, 2, 5]);
const held = (...arguments_: Parameters<typeof snapshotOf>) => restorable(snapshotOf(...arguments_), HELD);

it('is what was owned, also if the manager no longer wants it but nobody has asked', () => {
  const since = NOW - 500;
  const wanted = { role: 'replica', by: 'keepalived', word: 'BACKUP', since, force: false } as const;
  expect(held(groupOf({ active: 2, wanted }), [peerOf({ wants: new Set(['fw1_fw2']) })])).toEqual([0, 2]);
});

it('is a part where only that was owned', () => {
  expect(restorable(snapshotOf(groupOf({ active: 1 }), [peerOf()]), new Set([2]))).toEqual([2]);
});

it.each([
  ['a peer has asked for it', groupOf({ request: { from: 'fw2', since: NOW, synced: true } }), peerOf()],
  [
    'this node stood still',
    groupOf({ doubt: { reason: 'this node stood still for 2.0 s', milliseconds: 2000 } }),
    peerOf(),
  ],
  ['a peer owns it', groupOf(), peerOf({ owns: new Set(['fw1_fw2']) })],
])('is nothing of a group when %s', (_, group, peer) => {
  expect(held(group, [peer])).toEqual([]);
});

it('is not taken away by what an unreachable peer once said', () => {
  expect(held(groupOf(), [peerOf({ reachable: false, owns: new Set(['fw1_fw2']) })])).toEqual([0, 2]);
});
