import { describe, expect, it } from 'vitest';
import type { PeerView } from '../../../src/cluster/snapshot.ts';
import type { Decision } from '../../../src/cluster/verdict.ts';
import { warningsOf } from '../../../src/observe/warnings.ts';
import { groupOf, peerOf, snapshotOf } from '../../support/snapshot.ts';

const REASONS: readonly Decision[] = [{ group: 'fw1_fw2', kind: 'stay', reason: 'keepalived says BACKUP' }];
const MEND = 'mend that, or take it with "conntrack-ha takeover fw1_fw2"';
const OWNERLESS = `its packets are dropped; this node doesn't take it: keepalived says BACKUP; ${MEND}`;

const warned = (...peers: readonly PeerView[]): readonly string[] =>
  warningsOf(snapshotOf(groupOf(), peers), REASONS).map(({ text }) => text);

describe('a group that nobody owns', () => {
  it('is said with the reason that this node does not take it', () => {
    expect(warned(peerOf())).toEqual([`fw1_fw2 has no owner: ${OWNERLESS}`]);
  });

  it('is said beside a peer that does not answer, which may filter it', () => {
    expect(warned(peerOf({ reachable: false, silent: 5000, owns: new Set(['fw1_fw2']) }))).toEqual([
      expect.stringMatching(/^fw2 doesn't answer on the sync link: /),
      `fw1_fw2 has no owner that answers: unless fw2 filters it, ${OWNERLESS}`,
    ]);
  });

  it('is said beside several', () => {
    const silent = { reachable: false, silent: 5000 };
    expect(warned(peerOf(silent), peerOf({ ...silent, name: 'fw3' }), peerOf({ name: 'fw4' }))).toContain(
      `fw1_fw2 has no owner that answers: unless fw2 or fw3 filters it, ${OWNERLESS}`,
    );
  });

  it('is not said of one that a peer says it owns', () => {
    expect(warned(peerOf({ owns: new Set(['fw1_fw2']) }))).toEqual([]);
  });

  it('is said without a reason before the first round', () => {
    expect(warningsOf(snapshotOf(groupOf(), [peerOf()]), [])).toEqual([
      { code: 'no-owner', object: 'fw1_fw2', text: `fw1_fw2 has no owner: its packets are dropped; ${MEND}` },
    ]);
  });
});
