import { describe, expect, it } from 'vitest';
import { readiness } from '../../../src/cluster/readiness.ts';
import type { GroupView, PeerView } from '../../../src/cluster/snapshot.ts';
import { groupOf, peerOf, snapshotOf } from '../../support/snapshot.ts';

const group = groupOf;
const peer = peerOf;
const of = (view: GroupView, ...peers: readonly PeerView[]) => readiness(snapshotOf(view, peers));

const owner = peer({ owns: new Set(['fw1_fw2']) });
const lost = peer({ owns: new Set(['fw1_fw2']), reachable: false, silent: 5000 });

describe('readiness', () => {
  it('is an owner’s, whatever else is', () => {
    expect(of(group({ active: 2 }), lost)).toEqual([
      { group: 'fw1_fw2', ready: true, served: true, reason: 'owns it' },
    ]);
  });

  it('says whether a node that can be seen serves the group', () => {
    expect(of(group(), owner)[0]?.served).toBe(true);
    expect(of(group(), lost)[0]?.served).toBe(false);
    expect(of(group(), peer())[0]?.served).toBe(false);
  });

  it('is not given to one with a part of the buckets', () => {
    expect(of(group({ active: 1 }), owner)[0]?.ready).toBe(false);
  });

  it('is a replica’s once it holds the states of the owner', () => {
    expect(of(group({ synced: false }), owner)[0]).toMatchObject({
      ready: false,
      reason: "doesn't hold the states of fw2 yet",
    });
    expect(of(group({ synced: true }), owner)[0]).toMatchObject({
      ready: true,
      reason: 'holds the states of fw2',
    });
  });

  it('waits for the agent that has just begun to know whether packets come in', () => {
    const begun = (held: GroupView, ...peers: readonly PeerView[]) =>
      readiness({ ...snapshotOf(held, peers), listening: 1900 })[0];
    expect(begun(group({ synced: true }), owner)).toMatchObject({
      ready: false,
      reason: "doesn't know yet whether packets come in here",
    });
    expect(begun(group({ active: 2 }), peer())?.ready).toBe(true);
    expect(begun(group({ synced: true }), peer({ ...owner, lost: new Set(['eth1']) }))?.ready).toBe(true);
    expect(begun(group({ synced: true }), lost)?.ready).toBe(true);
  });

  it('is given where nobody owns it, if every peer says so', () => {
    expect(of(group({}), peer({}))[0]).toMatchObject({ ready: true, reason: 'nobody owns it' });
    expect(of(group({}), lost)[0]).toMatchObject({
      ready: false,
      reason: "fw2 may own it and doesn't answer",
    });
    const third = peer({ name: 'fw3', reachable: false });
    expect(of(group({}), peer({}), third)[0]?.reason).toMatch(/^fw3 may own it/);
  });

  it('stays with one that held the owner’s states when that fell silent, for a while', () => {
    const silent = (ms: number) => peer({ ...lost, silent: ms });
    expect(of(group({ synced: true }), silent(5000))[0]).toMatchObject({
      ready: true,
      reason: 'held the states of fw2 when that fell silent',
    });
    expect(of(group({ synced: false }), silent(5000))[0]?.ready).toBe(false);
    expect(of(group({ synced: true }), silent(10_000))[0]?.ready).toBe(false);
  });

  it('does not take a silent peer’s last word for the truth', () => {
    expect(of(group({ synced: true }), peer({ ...lost, silent: 60_000 }))[0]?.ready).toBe(false);
  });

  it('is taken from a node that has lost an interface which a peer that holds the states has', () => {
    const see = (own: readonly string[], theirs: readonly string[], synced: readonly string[]) =>
      readiness(
        snapshotOf(group({ active: 2 }), [peer({ lost: new Set(theirs), synced: new Set(synced) })], {
          lost: new Set(own),
        }),
      )[0];
    expect(see(['eth2'], [], ['fw1_fw2'])).toMatchObject({
      ready: false,
      reason: 'eth2 is lost here and not on fw2',
    });
    expect(see(['eth2'], ['eth2'], ['fw1_fw2'])?.ready).toBe(true);
    expect(see(['eth2'], ['eth1'], ['fw1_fw2'])?.ready).toBe(true);
    expect(see(['eth1', 'eth2'], ['eth1'], ['fw1_fw2'])?.ready).toBe(false);
    expect(see(['eth2'], [], [])?.ready).toBe(true);
  });

  it('is taken from a node that has lost an interface for long, though no peer holds the states', () => {
    const well = peer({ lost: new Set() });
    const see = (lostFor: number) =>
      readiness(snapshotOf(group({ active: 2 }), [well], { lost: new Set(['eth2']), lostFor }))[0]?.ready;
    expect([see(1999), see(2000)]).toEqual([true, false]);
  });

  it('is given to a replica without the states if the owner has lost an interface and nobody else could', () => {
    const cut = peer({ owns: new Set(['fw1_fw2']), lost: new Set(['eth2']) });
    const third = (fields: Partial<PeerView>) => peer({ name: 'fw3', ...fields });
    expect(of(group({}), cut)[0]).toMatchObject({
      ready: true,
      reason: 'fw2 has lost eth2 and serves nobody',
    });
    expect(of(group({}), cut, third({ synced: new Set(['fw1_fw2']) }))[0]?.ready).toBe(false);
    expect(of(group({}), cut, third({}))[0]?.ready).toBe(true);
  });

  describe('without the room in the connection table', () => {
    const see = (
      view: GroupView,
      peers: readonly PeerView[],
      { lack = ['fw1'], fill = lack }: { lack?: readonly string[]; fill?: readonly string[] } = {},
    ) => readiness(snapshotOf(view, peers, { tables: { lack: new Set(lack), fill: new Set(fill) } }))[0];

    it('is taken from a replica whose owner has it', () => {
      expect(see(group({ synced: true }), [owner])).toMatchObject({
        ready: false,
        reason: 'the connection table here has no room for what the nodes hold, and that of fw2 has',
      });
      expect(see(group({ synced: true }), [owner], { lack: [], fill: ['fw1'] })?.ready).toBe(true);
    });

    it('is taken from an owner only if the table of one who could take over is not even filling', () => {
      const replica = peer({ synced: new Set(['fw1_fw2']) });
      expect(see(group({ active: 2 }), [replica])?.ready).toBe(false);
      expect(see(group({ active: 2 }), [replica], { fill: ['fw1', 'fw2'] })?.ready).toBe(true);
      expect(see(group({ active: 2 }), [peer()])?.ready).toBe(true);
    });

    it('stays where nobody has more', () => {
      expect(see(group({ synced: true }), [owner], { lack: ['fw1', 'fw2'] })?.ready).toBe(true);
      expect(see(group({ synced: true }), [lost])?.reason).toBe(
        'held the states of fw2 when that fell silent',
      );
      expect(see(group({}), [peer({})])?.reason).toBe('nobody owns it');
    });

    it('stays where the other has been drained, or its manager is dead', () => {
      expect(see(group({ synced: true }), [peer({ ...owner, drained: true })])?.ready).toBe(true);
      expect(see(group({ synced: true }), [peer({ ...owner, managerAlive: false })])?.ready).toBe(true);
    });

    it('stays where the other has lost an interface', () => {
      expect(see(group({ synced: true }), [peer({ ...owner, lost: new Set(['eth2']) })])?.ready).toBe(true);
    });
  });

  it('is taken from a drained node', () => {
    const [drained] = readiness(snapshotOf(group({ active: 2 }), [peer()], { drained: true }));
    expect(drained).toMatchObject({ ready: false, reason: 'drained by the operator' });
  });
});
