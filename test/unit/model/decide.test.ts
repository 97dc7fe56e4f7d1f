import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/cluster/decide.ts';
import { WORD_MS } from '../../../src/cluster/decide-replica.ts';
import { readiness } from '../../../src/cluster/readiness.ts';
import type { GroupView, PeerView, Snapshot } from '../../../src/cluster/snapshot.ts';
import { type Decision, QUIET_MS } from '../../../src/cluster/verdict.ts';
import { anySnapshot, anyTwoOwners } from './snapshots.ts';

const RUNS = { numRuns: 20 * Number(process.env['MODEL_RUNS'] ?? 40), seed: 7 };

/** Each group with what is decided about it. */
const decided = (snapshot: Snapshot): readonly { readonly group: GroupView; readonly decision: Decision }[] =>
  decide(snapshot).map((decision, index) => {
    const group = snapshot.groups[index];
    if (group === undefined || decision.group !== group.name) {
      throw new Error(`no group for the decision about ${decision.group}`);
    }
    return { group, decision };
  });

const heardOwners = ({ peers }: Snapshot, group: string): readonly PeerView[] =>
  peers.filter((peer) => peer.reachable && peer.silent < QUIET_MS && peer.owns.has(group));

const always = (promise: (snapshot: Snapshot) => void): void =>
  fc.assert(fc.property(anySnapshot, promise), RUNS);

describe('decide, whatever is seen', () => {
  it('says one thing with a reason about each group, and always the same', () => {
    always((snapshot) => {
      const decisions = decide(snapshot);
      expect(decisions.map(({ group }) => group)).toEqual(snapshot.groups.map(({ name }) => name));
      expect(decisions.every(({ reason }) => reason.length > 0 && !reason.includes('undefined'))).toBe(true);
      expect(decide(snapshot)).toEqual(decisions);
    });
  });

  it('names the peer that is asked or answered', () => {
    always((snapshot) => {
      for (const { decision } of decided(snapshot).filter(({ decision: { kind } }) =>
        /ask|yield|grant|refuse/.test(kind),
      )) {
        expect(snapshot.peers.map(({ name }) => name)).toContain(decision.peer);
      }
    });
  });

  it('activates only what is not active and what is wanted here, or what nobody else can serve', () => {
    always((snapshot) => {
      const alone = snapshot.peers.every(({ reachable }) => !reachable);
      for (const { group } of decided(snapshot).filter(({ decision }) => decision.kind === 'activate')) {
        expect(group.active).toBeLessThan(group.buckets.length);
        expect(group.wanted?.role === 'owner' || (alone && group.wanted?.by === 'keepalived')).toBe(true);
      }
    });
  });

  it('takes nothing from an owner that is heard, unless that was asked and gave it up or had its time', () => {
    always((snapshot) => {
      for (const { group } of decided(snapshot).filter(({ decision }) => decision.kind === 'activate')) {
        const [owner] = heardOwners(snapshot, group.name);
        if (owner !== undefined) {
          const { asked } = group;
          expect(asked?.peer).toBe(owner.name);
          expect(asked?.answer?.granted ?? snapshot.now - (asked?.since ?? snapshot.now) >= WORD_MS).toBe(
            true,
          );
          expect(group.synced || group.wanted?.force).toBe(true);
        }
      }
    });
  });

  it('asks an owner only, and as a replica only when synced or forced, or when that one has lost more', () => {
    always((snapshot) => {
      for (const { group, decision } of decided(snapshot).filter((each) => each.decision.kind === 'ask')) {
        expect(heardOwners(snapshot, group.name).map(({ name }) => name)).toContain(decision.peer);
        const owner = snapshot.peers.find(({ name }) => name === decision.peer);
        const futile = (owner?.lost.size ?? 0) > snapshot.lost.size;
        expect(group.synced || group.wanted?.force || group.active > 0 || futile).toBe(true);
      }
    });
  });

  it("answers a request only, and doesn't grant what is active", () => {
    always((snapshot) => {
      for (const { group, decision } of decided(snapshot)) {
        if (/yield|grant|refuse/.test(decision.kind)) {
          expect(group.request?.from).toBe(decision.peer);
        }
        if (decision.kind === 'grant') {
          expect(group.active).toBe(0);
        }
      }
    });
  });

  it('gives nothing up while no peer answers, unless a living manager or the operator says so', () => {
    always((snapshot) => {
      if (snapshot.peers.some(({ reachable }) => reachable)) {
        return;
      }
      for (const { group, decision } of decided(snapshot)) {
        const whole = group.active === group.buckets.length && group.request === undefined;
        if (whole && decision.kind !== 'stay') {
          expect(group.wanted?.role).toBe('replica');
          expect(group.wanted?.by === 'operator' || snapshot.manager.alive).toBe(true);
        }
      }
    });
  });

  it('lets nobody with a partial group go on with it', () => {
    always((snapshot) => {
      for (const { group, decision } of decided(snapshot)) {
        if (group.active > 0 && group.active < group.buckets.length) {
          expect(['activate', 'deactivate']).toContain(decision.kind);
        }
      }
    });
  });
});

describe('two owners that see each other', () => {
  it('end with one: each finds the same one of the two to be the one that keeps it', () => {
    fc.assert(
      fc.property(anyTwoOwners, (sides) => {
        const kinds = sides.map((snapshot) => decide(snapshot)[0]?.kind);
        expect(kinds.filter((kind) => kind === 'deactivate')).toHaveLength(1);
        expect(kinds.filter((kind) => kind === 'stay' || kind === 'ask')).toHaveLength(1);
      }),
      RUNS,
    );
  });
});

describe('readiness, whatever is seen', () => {
  it('is a lonely node’s, whatever room its connection table has', () => {
    const roomy = { fill: new Set<string>(), lack: new Set<string>() };
    always((snapshot) => {
      const alone = { ...snapshot, peers: snapshot.peers.map((peer) => ({ ...peer, reachable: false })) };
      expect(readiness(alone)).toEqual(readiness({ ...alone, tables: roomy }));
      expect(decide(alone)).toEqual(decide({ ...alone, tables: roomy }));
    });
  });

  it('is not taken from a node without room unless another that can be seen owns it or holds its states, and has room', () => {
    always((snapshot) => {
      const { lack } = snapshot.tables;
      const before = readiness({ ...snapshot, tables: { fill: new Set(), lack: new Set() } });
      for (const [index, { ready, group }] of readiness(snapshot).entries()) {
        const other = snapshot.peers.some(
          ({ name, reachable, owns, synced }) =>
            reachable && !lack.has(name) && (owns.has(group) || synced.has(group)),
        );
        expect(ready || !before[index]?.ready || (lack.has('fw1') && other)).toBe(true);
      }
    });
  });

  it('is never for a replica that lacks the states of an owner that is as well connected, nor on a drained node', () => {
    always((snapshot) => {
      for (const [index, { ready, reason }] of readiness(snapshot).entries()) {
        const group = snapshot.groups[index];
        const owned = snapshot.peers.some(
          ({ reachable, owns, lost }) =>
            reachable && group && owns.has(group.name) && lost.size <= snapshot.lost.size,
        );
        const whole = group?.active === group?.buckets.length;
        expect(ready && (snapshot.drained || (!whole && owned && group?.synced !== true)), reason).toBe(
          false,
        );
      }
    });
  });
});
