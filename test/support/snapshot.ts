import type { GroupView, PeerView, Snapshot } from '../../src/cluster/snapshot.ts';

/** The moment of every snapshot that `snapshotOf` makes. */
export const NOW = 100_000;

/** The group fw1_fw2, of which nothing is known and nothing active. */
export const groupOf = (fields: Partial<GroupView> = {}): GroupView => ({
  name: 'fw1_fw2',
  home: 'fw1',
  order: ['fw1', 'fw2'],
  buckets: [0, 2],
  active: 0,
  wanted: undefined,
  said: fields.wanted,
  synced: false,
  asked: undefined,
  request: undefined,
  contested: undefined,
  changed: undefined,
  doubt: undefined,
  ...fields,
});

/** fw2, well, owning nothing. */
export const peerOf = (fields: Partial<PeerView> = {}): PeerView => ({
  name: 'fw2',
  reachable: true,
  silent: 50,
  stale: false,
  managerAlive: true,
  owns: new Set(),
  wants: new Set(),
  forced: new Set(),
  synced: new Set(),
  lost: new Set(),
  drained: false,
  ...fields,
});

/** What fw1 sees, its keepalived running. */
export const snapshotOf = (
  group: GroupView,
  peers: readonly PeerView[],
  fields: Partial<Snapshot> = {},
): Snapshot => ({
  now: NOW,
  node: 'fw1',
  manager: { kind: 'keepalived', alive: true },
  groups: [group],
  peers,
  timeouts: { peer: 1000, disagree: 2000, holddown: 0, elect: 400, linger: 1000 },
  listening: 10_000,
  lost: new Set(),
  lostFor: fields.lost === undefined ? 0 : 500,
  drained: false,
  tables: { fill: new Set(), lack: new Set() },
  ...fields,
});
