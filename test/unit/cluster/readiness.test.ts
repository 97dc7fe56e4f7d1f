import { describe, expect, it } from 'vitest';
import { readiness } from '../../../src/cluster/readiness.ts';
import type { GroupView, PeerView, Snapshot } from '../../../src/cluster/snapshot.ts';

const group = (fields: Partial<GroupView>): GroupView => ({
  name: 'fw1_fw2',
  home: 'fw1',
  order: ['fw1', 'fw2'],
  buckets: [0, 2],
  active: 0,
  wanted: undefined,
  synced: false,
  asked: undefined,
  request: undefined,
  contested: undefined,
  changed: undefined,
  ...fields,
});

const peer = (fields: Partial<PeerView>): PeerView => ({
  name: 'fw2',
  reachable: true,
  silent: 50,
  managerAlive: true,
  owns: new Set(),
  wants: new Set(),
  synced: new Set(),
  ...fields,
});

const of = (view: GroupView, ...peers: readonly PeerView[]) => {
  const snapshot: Snapshot = {
    now: 1000,
    node: 'fw1',
    manager: { kind: 'keepalived', alive: true },
    groups: [view],
    peers,
    timeouts: { peer: 1000, disagree: 2000, holddown: 0 },
    listening: 10_000,
  };
  return readiness(snapshot);
};

const owner = peer({ owns: new Set(['fw1_fw2']) });
const lost = peer({ owns: new Set(['fw1_fw2']), reachable: false, silent: 5000 });

describe('readiness', () => {
  it('is an owner’s, whatever else is', () => {
    expect(of(group({ active: 2 }), lost)).toEqual([{ group: 'fw1_fw2', ready: true, reason: 'owns it' }]);
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

  it('is given where nobody owns it, if every peer says so', () => {
    expect(of(group({}), peer({}))[0]).toMatchObject({ ready: true, reason: 'nobody owns it' });
    expect(of(group({}), lost)[0]).toMatchObject({
      ready: false,
      reason: "fw2 may own it and doesn't answer",
    });
    const third = peer({ name: 'fw3', reachable: false });
    expect(of(group({}), peer({}), third)[0]?.reason).toMatch(/^fw3 may own it/);
  });

  it('does not take a silent peer’s last word for the truth', () => {
    expect(of(group({ synced: true }), lost)[0]?.ready).toBe(false);
  });
});
