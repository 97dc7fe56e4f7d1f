import fc from 'fast-check';
import { groupsOf } from '../../../src/cluster/groups.ts';
import {
  type GroupView,
  isForced,
  type ManagerView,
  type PeerView,
  type Snapshot,
  type Wanted,
} from '../../../src/cluster/snapshot.ts';
import { clusterConfig } from '../../support/cluster-config.ts';
import { groupOf, NOW, peerOf, snapshotOf } from '../../support/snapshot.ts';

const GROUPS = groupsOf(
  clusterConfig({
    buckets: 12,
    nodes: [1, 2, 3].map((id) => ({ name: `fw${id}`, id, sync: `10.99.0.${id}`, devices: {} })),
  }),
);
const PEERS = ['fw2', 'fw3'];

/** Around the bounds that decisions look at. */
const since = fc
  .constantFrom(0, 50, 99, 100, 249, 250, 999, 1000, 1999, 2000, 60_000)
  .map((ago) => NOW - ago);
const groupNames = fc.subarray(GROUPS.map(({ name }) => name)).map((names) => new Set(names));
const interfaces = fc.subarray(['eth1', 'eth2']).map((names) => new Set(names));

const nodeNames = fc.subarray(['fw1', ...PEERS]).map((names) => new Set(names));

export const anyWanted: fc.Arbitrary<Wanted> = fc
  .record({
    says: fc.constantFrom(
      { by: 'keepalived' as const, word: 'MASTER', role: 'owner' as const },
      { by: 'keepalived' as const, word: 'BACKUP', role: 'replica' as const },
      { by: 'keepalived' as const, word: 'FAULT', role: 'replica' as const },
      { by: 'keepalived' as const, word: 'STOP', role: 'replica' as const },
      { by: 'operator' as const, word: 'takeover', role: 'owner' as const },
      { by: 'operator' as const, word: 'release', role: 'replica' as const },
      { by: 'start' as const, word: 'start', role: 'owner' as const },
    ),
    since,
    force: fc.boolean(),
  })
  .map(({ says, since: at, force }) => ({ ...says, since: at, force }));

const anyGroup = (group: (typeof GROUPS)[number]): fc.Arbitrary<GroupView> =>
  fc
    .record({
      active: fc.constantFrom(0, group.buckets.length, group.buckets.length, 0, 1),
      wanted: fc.option(anyWanted, { nil: undefined }),
      synced: fc.boolean(),
      asked: fc.option(
        fc.record({
          since,
          peer: fc.constantFrom(...PEERS),
          answer: fc.option(fc.record({ granted: fc.boolean(), reason: fc.constant('why'), at: since }), {
            nil: undefined,
          }),
        }),
        { nil: undefined },
      ),
      request: fc.option(fc.record({ from: fc.constantFrom(...PEERS), since, synced: fc.boolean() }), {
        nil: undefined,
      }),
      contested: fc.option(since, { nil: undefined }),
      changed: fc.option(since, { nil: undefined }),
      doubt: fc.option(
        fc.record({
          reason: fc.constant('this node stood still'),
          milliseconds: fc.constantFrom(350, 749, 750, 60_000, Number.POSITIVE_INFINITY),
        }),
        { nil: undefined },
      ),
    })
    .map((fields) =>
      groupOf({ ...fields, ...group, synced: fields.synced || fields.active === group.buckets.length }),
    );

const anyPeer = (name: string): fc.Arbitrary<PeerView> =>
  fc
    .record({
      stale: fc.boolean(),
      silent: fc.constantFrom(0, 50, 249, 250, 999, 1000, 60_000, Number.POSITIVE_INFINITY),
      managerAlive: fc.boolean(),
      owns: groupNames,
      wants: groupNames,
      forced: groupNames,
      synced: groupNames,
      lost: interfaces,
      drained: fc.boolean(),
    })
    .map((fields) => peerOf({ ...fields, name, reachable: fields.silent < 1000 }));

const anyManager: fc.Arbitrary<ManagerView> = fc.constantFrom(
  { kind: 'keepalived' as const, alive: true },
  { kind: 'keepalived' as const, alive: false },
  { kind: 'none' as const, alive: true },
);

/** Whatever fw1 of three nodes may see. */
export const anySnapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    manager: anyManager,
    groups: fc.tuple(...GROUPS.map(anyGroup)),
    peers: fc.tuple(...PEERS.map(anyPeer)),
    listening: fc.constantFrom(0, 999, 1000, 60_000),
    holddown: fc.constantFrom(0, 1500),
    lost: interfaces,
    drained: fc.boolean(),
    tables: fc.record({ fill: nodeNames, lack: nodeNames }),
  })
  .map(({ groups, peers, holddown, ...fields }) =>
    snapshotOf(groupOf(), peers, {
      ...fields,
      groups,
      timeouts: { peer: 1000, disagree: 2000, holddown, elect: 400, linger: 1000 },
    }),
  );

/** fw1 and fw2, both owning fw1_fw2 or fw2_fw1 for longer than `disagree`, each as the other sees it. */
export const anyTwoOwners: fc.Arbitrary<readonly [Snapshot, Snapshot]> = fc
  .record({
    kind: fc.constantFrom('keepalived' as const, 'none' as const),
    homeIsFirst: fc.boolean(),
    sides: fc.tuple(
      ...[1, 2].map(() =>
        fc.record({ wanted: fc.option(anyWanted, { nil: undefined }), alive: fc.boolean() }),
      ),
    ),
  })
  .map(({ kind, homeIsFirst, sides: [one, other] }): readonly [Snapshot, Snapshot] => {
    const order = homeIsFirst ? ['fw1', 'fw2'] : ['fw2', 'fw1'];
    const name = order.join('_');
    const managerOf = (side: typeof one): ManagerView => ({
      kind,
      alive: kind === 'none' || side?.alive === true,
    });
    const see = (node: string, peer: string, mine: typeof one, theirs: typeof other): Snapshot =>
      snapshotOf(
        groupOf({
          name,
          home: order[0] ?? '',
          order,
          active: 2,
          synced: true,
          wanted: mine?.wanted,
          contested: NOW - 2000,
          asked: { since: NOW - 1000, peer, answer: undefined },
        }),
        [
          peerOf({
            name: peer,
            managerAlive: kind === 'none' || theirs?.alive === true,
            owns: new Set([name]),
            wants: new Set(theirs?.wanted?.role === 'owner' ? [name] : []),
            forced: new Set(
              isForced({ manager: managerOf(theirs) }, { wanted: theirs?.wanted }) ? [name] : [],
            ),
            synced: new Set([name]),
          }),
        ],
        { node, manager: managerOf(mine) },
      );
    return [see('fw1', 'fw2', one, other), see('fw2', 'fw1', other, one)];
  });
