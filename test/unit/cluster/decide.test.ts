import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/cluster/decide.ts';
import { WORD_MS } from '../../../src/cluster/decide-replica.ts';
import type { GroupView, PeerView, Snapshot, Wanted } from '../../../src/cluster/snapshot.ts';
import { QUIET_MS } from '../../../src/cluster/verdict.ts';
import { groupOf, NOW, peerOf, snapshotOf } from '../../support/snapshot.ts';

const group = groupOf;
const peer = (fields: Partial<PeerView> = {}): PeerView =>
  peerOf({ synced: new Set(['fw1_fw2']), ...fields });

const owning = peer({ owns: new Set(['fw1_fw2']) });
const dead = peer({ reachable: false, silent: 5000, owns: new Set(['fw1_fw2']) });
const quiet = peer({ silent: QUIET_MS + 1, owns: new Set(['fw1_fw2']) });

const wanted = (role: Wanted['role'], fields: Partial<Wanted> = {}): Wanted => ({
  role,
  since: NOW - 10,
  by: 'keepalived',
  word: role === 'owner' ? 'MASTER' : 'BACKUP',
  force: false,
  ...fields,
});

const snapshot = (view: GroupView, other: PeerView, fields: Partial<Snapshot> = {}): Snapshot =>
  snapshotOf(view, [other], fields);

const MASTER = wanted('owner');
const LONG_MASTER = wanted('owner', { since: NOW - 100 });
const BACKUP = wanted('replica');
const FAULT = wanted('replica', { word: 'FAULT' });
const asked = (fields: object = {}) => ({ since: NOW - 5, peer: 'fw2', answer: undefined, ...fields });
const stoodStill = (milliseconds: number) => ({
  reason: `this node stood still for ${(milliseconds / 1000).toFixed(1)} s`,
  milliseconds,
});
const request = (fields: object = {}) => ({ from: 'fw2', since: NOW - 5, synced: true, ...fields });

describe('a replica', () => {
  it.each<[string, Partial<GroupView>, PeerView, Partial<Snapshot>, string, RegExp]>([
    ['has no word', {}, owning, {}, 'stay', /nobody has said/],
    ['is told BACKUP', { wanted: BACKUP }, owning, {}, 'stay', /keepalived says BACKUP/],
    ['is MASTER, nobody owns it', { wanted: MASTER }, peer(), {}, 'activate', /^keepalived says MASTER$/],
    ['is MASTER, the owner is dead', { wanted: LONG_MASTER }, dead, {}, 'activate', /fw2 is silent/],
    [
      'is MASTER, the owner fell silent',
      { wanted: MASTER, synced: true },
      quiet,
      {},
      'activate',
      /fw2 is silent/,
    ],
    [
      'has just become MASTER, not synced, the owner may be alive where only keepalived hears it',
      { wanted: MASTER },
      dead,
      {},
      'stay',
      /^keepalived says MASTER, but a node that is readier may say so too$/,
    ],
    [
      'is MASTER, not synced, owner lives',
      { wanted: MASTER },
      owning,
      {},
      'stay',
      /its states aren't here yet/,
    ],
    ['is MASTER and synced', { wanted: MASTER, synced: true }, owning, {}, 'ask', /MASTER/],
    [
      "is MASTER and synced, the owner's operator forced it",
      { wanted: MASTER, synced: true },
      peer({ owns: new Set(['fw1_fw2']), forced: new Set(['fw1_fw2']) }),
      {},
      'stay',
      /^keepalived says MASTER, but fw2's operator keeps it by force$/,
    ],
    [
      'is MASTER, and what the operator forced to the owner is silent',
      { wanted: MASTER, synced: true },
      peer({ reachable: false, silent: 4900, owns: new Set(['fw1_fw2']), forced: new Set(['fw1_fw2']) }),
      {},
      'stay',
      /^keepalived says MASTER, but fw2's operator kept it by force until it fell silent$/,
    ],
    [
      'is MASTER, and what the operator forced to the owner has been silent for long',
      { wanted: MASTER, synced: true },
      peer({ reachable: false, silent: 5000, owns: new Set(['fw1_fw2']), forced: new Set(['fw1_fw2']) }),
      {},
      'activate',
      /fw2 is silent$/,
    ],
    ['has asked', { wanted: MASTER, synced: true, asked: asked() }, owning, {}, 'stay', /was asked/],
    [
      'has asked in vain',
      { wanted: MASTER, synced: true, asked: asked({ since: NOW - WORD_MS }) },
      owning,
      {},
      'activate',
      /didn't answer/,
    ],
    [
      'was granted it',
      { wanted: MASTER, synced: true, asked: asked({ answer: { granted: true, reason: '', at: NOW } }) },
      owning,
      {},
      'activate',
      /fw2 gave it up/,
    ],
    [
      'was refused it',
      { wanted: MASTER, synced: true, asked: asked({ answer: { granted: false, reason: 'no', at: NOW } }) },
      owning,
      {},
      'stay',
      /fw2 keeps it: no/,
    ],
    [
      'was refused it a while ago',
      {
        wanted: MASTER,
        synced: true,
        asked: asked({ answer: { granted: false, reason: 'no', at: NOW - 2000 } }),
      },
      owning,
      {},
      'ask',
      /MASTER/,
    ],
    ['is asked itself', { request: request() }, peer(), {}, 'grant', /not its owner/],
    [
      'has a dead manager',
      { wanted: MASTER, synced: true },
      owning,
      { manager: { kind: 'keepalived', alive: false } },
      'stay',
      /^keepalived doesn't run here$/,
    ],
    [
      'has a dead manager and a dead peer',
      { wanted: BACKUP },
      dead,
      { manager: { kind: 'keepalived', alive: false } },
      'activate',
      /^keepalived doesn't run here, but no peer answers: the last node serves$/,
    ],
    [
      'has a dead manager and a peer whose agent is restarted',
      { wanted: BACKUP },
      peer({ reachable: false, silent: 4900, owns: new Set(['fw1_fw2']) }),
      { manager: { kind: 'keepalived', alive: false } },
      'stay',
      /^keepalived doesn't run here$/,
    ],
    [
      'has a dead manager, which said nothing before',
      {},
      dead,
      { manager: { kind: 'keepalived', alive: false } },
      'stay',
      /nobody has said/,
    ],
    [
      'has a dead manager and has just begun to listen',
      { wanted: BACKUP },
      dead,
      { manager: { kind: 'keepalived', alive: false }, listening: 900 },
      'stay',
      /doesn't run/,
    ],
    [
      'has just given it to the peer, which has not said yet that it owns it',
      { wanted: MASTER, synced: true, changed: NOW - 30, heir: 'fw2' },
      peer(),
      {},
      'stay',
      /fw2 has just been given it/,
    ],
    [
      'has given it to a peer that never took it',
      { wanted: MASTER, synced: true, changed: NOW - 250, heir: 'fw2' },
      peer(),
      {},
      'activate',
      /MASTER/,
    ],
    ['is told FAULT', { wanted: FAULT }, owning, {}, 'stay', /FAULT/],
    ['is told FAULT, the peer is quiet', { wanted: FAULT }, quiet, {}, 'stay', /FAULT/],
    [
      'is told FAULT, the peer is dead',
      { wanted: FAULT },
      dead,
      {},
      'activate',
      /FAULT, but no peer answers/,
    ],
    [
      'is told FAULT, the peer is dead, and an interface is lost',
      { wanted: FAULT },
      dead,
      { lost: new Set(['eth1']) },
      'stay',
      /FAULT/,
    ],
    ['is told BACKUP, the peer is dead on the sync link', { wanted: BACKUP }, dead, {}, 'stay', /BACKUP/],
    [
      'has just begun to listen',
      { wanted: MASTER },
      peer({ reachable: false, silent: Number.POSITIVE_INFINITY }),
      { listening: 200 },
      'stay',
      /fw2 may still answer/,
    ],
    [
      'starts at home, a peer owns it',
      { wanted: wanted('owner', { by: 'start', word: 'start' }), synced: true },
      owning,
      { manager: { kind: 'none', alive: true } },
      'stay',
      /conntrack-ha takeover fw1_fw2/,
    ],
    [
      'starts at home, nobody owns it',
      { wanted: wanted('owner', { by: 'start', word: 'start' }) },
      peer(),
      { manager: { kind: 'none', alive: true } },
      'activate',
      /its home starts/,
    ],
    [
      'is forced',
      { wanted: wanted('owner', { by: 'operator', word: 'takeover', force: true }) },
      owning,
      {},
      'ask',
      /operator says takeover/,
    ],
    [
      'changed a moment ago',
      { wanted: MASTER, synced: true, changed: NOW - 100 },
      owning,
      { timeouts: { peer: 1000, disagree: 2000, holddown: 5000, elect: 400, linger: 1000 } },
      'stay',
      /held down/,
    ],
    [
      'changed a moment ago, and nobody owns it now',
      { wanted: MASTER, synced: true, changed: NOW - 100 },
      dead,
      { timeouts: { peer: 1000, disagree: 2000, holddown: 5000, elect: 400, linger: 1000 } },
      'activate',
      /^keepalived says MASTER; fw2 is silent$/,
    ],
    [
      'is MASTER without the states, and the owner fell silent only now',
      { wanted: MASTER },
      quiet,
      {},
      'stay',
      /^keepalived says MASTER, but its states aren't here yet and fw2 fell silent only now$/,
    ],
    [
      "is MASTER without the states, and the owner can't be reached",
      { wanted: wanted('owner', { since: NOW - 200 }) },
      peer({ reachable: false, silent: 1000, owns: new Set(['fw1_fw2']) }),
      {},
      'activate',
      /^keepalived says MASTER; fw2 is silent$/,
    ],
    [
      'is to take it by force without the states, and the owner fell silent only now',
      { wanted: wanted('owner', { by: 'operator', word: 'takeover', force: true }) },
      quiet,
      {},
      'activate',
      /^operator says takeover; fw2 is silent$/,
    ],
    [
      'is MASTER, and has stood still before it heard whether a peer owns it',
      { wanted: MASTER, synced: true },
      peer({ stale: true }),
      {},
      'stay',
      /^keepalived says MASTER, but fw2 may have taken it over while this node stood still$/,
    ],
    [
      "is MASTER, and the owner's operator forced it but has lost an interface",
      { wanted: MASTER, synced: true },
      peer({ owns: new Set(['fw1_fw2']), forced: new Set(['fw1_fw2']), lost: new Set(['eth2']) }),
      {},
      'ask',
      /MASTER/,
    ],
  ])('that %s', (_, view, other, fields, kind, reason) => {
    const [decision] = decide(snapshot(group(view), other, fields));
    expect(decision).toMatchObject({ group: 'fw1_fw2', kind });
    expect(decision?.reason).toMatch(reason);
  });
});

describe('an owner', () => {
  const active = { active: 2, synced: true };
  it.each<[string, Partial<GroupView>, PeerView, Partial<Snapshot>, string, RegExp]>([
    ['is MASTER', { wanted: MASTER }, peer(), {}, 'stay', /MASTER/],
    ['has no word', {}, peer(), {}, 'stay', /nobody wants it elsewhere/],
    ['is told BACKUP and not asked', { wanted: BACKUP }, peer(), {}, 'stay', /no peer has asked/],
    ['is asked after BACKUP', { wanted: BACKUP, request: request() }, peer(), {}, 'yield', /fw2 asks/],
    [
      'has long been told BACKUP, and has lost its peer so lately that it may yet become MASTER',
      { wanted: wanted('replica', { since: NOW - 60_000 }) },
      peer({ reachable: false, silent: 3000 }),
      { timeouts: { peer: 1000, disagree: 2000, holddown: 0, elect: 4000, linger: 1000 } },
      'stay',
      /nobody else is there/,
    ],
    [
      'is MASTER, has stood still, and has not heard the peer since',
      { wanted: MASTER, doubt: stoodStill(4000) },
      peer({ stale: true }),
      {},
      'deactivate',
      /^this node stood still for 4\.0 s: fw2 may have taken it over$/,
    ],
    [
      'is MASTER, and has stood still for a moment before a peer without the states',
      { wanted: MASTER, doubt: stoodStill(700) },
      peer({ stale: true, synced: new Set() }),
      {},
      'stay',
      /^keepalived says MASTER$/,
    ],
    [
      'is MASTER, and has stood still for a moment before a peer with the states',
      { wanted: MASTER, doubt: stoodStill(400) },
      peer({ stale: true, synced: new Set(['fw1_fw2']) }),
      {},
      'deactivate',
      /^this node stood still for 0\.4 s: fw2 may have taken it over$/,
    ],
    [
      'is MASTER, and has stood still for a moment before a peer without the states whose manager wants it',
      { wanted: MASTER, doubt: stoodStill(400) },
      peer({ stale: true, synced: new Set(), wants: new Set(['fw1_fw2']) }),
      {},
      'stay',
      /^keepalived says MASTER$/,
    ],
    [
      'is MASTER, and has stood still for a moment before a peer whose operator may have forced it',
      { wanted: MASTER, doubt: stoodStill(400) },
      peer({ stale: true, synced: new Set(), forced: new Set(['fw1_fw2']) }),
      {},
      'deactivate',
      /fw2 may have taken it over$/,
    ],
    [
      'is MASTER, has lost an interface, and has stood still for a moment before a peer that has not',
      { wanted: MASTER, doubt: stoodStill(400) },
      peer({ stale: true, synced: new Set() }),
      { lost: new Set(['eth2']) },
      'deactivate',
      /fw2 may have taken it over$/,
    ],
    [
      'is MASTER, and has stood still for so long that any peer would have taken it',
      { wanted: MASTER, doubt: stoodStill(750) },
      peer({ stale: true, synced: new Set() }),
      {},
      'deactivate',
      /fw2 may have taken it over$/,
    ],
    [
      'is MASTER, has stood still, and no peer could be heard before',
      { wanted: MASTER, doubt: stoodStill(4000) },
      peer({ stale: true, reachable: false, silent: 60_000 }),
      {},
      'stay',
      /^keepalived says MASTER$/,
    ],
    [
      'has stood still, heard nobody since, and isn’t wanted to own it',
      { wanted: BACKUP, doubt: stoodStill(4000) },
      peer({ stale: true }),
      {},
      'stay',
      /no peer has asked/,
    ],
    [
      'was told BACKUP a moment ago, alone, and may yet become MASTER',
      { wanted: wanted('replica', { since: NOW - 3000 }) },
      dead,
      { timeouts: { peer: 1000, disagree: 2000, holddown: 0, elect: 4000, linger: 1000 } },
      'stay',
      /nobody else is there/,
    ],
    [
      'keeps by force what its manager left to a peer that fell silent long ago',
      { wanted: wanted('owner', { by: 'operator', word: 'takeover' }), said: BACKUP },
      peer({ reachable: false, silent: 6000 }),
      {},
      'deactivate',
      /^operator says takeover, but keepalived says BACKUP and no peer answers on the sync link$/,
    ],
    [
      'keeps by force what its manager left to a peer that fell silent a while ago',
      { wanted: wanted('owner', { by: 'operator', word: 'takeover' }), said: BACKUP },
      peer({ reachable: false, silent: 5900 }),
      {},
      'stay',
      /^operator says takeover$/,
    ],
    [
      "is MASTER and asked, the peer's operator forces it",
      { wanted: MASTER, request: request() },
      peer({ wants: new Set(['fw1_fw2']), forced: new Set(['fw1_fw2']) }),
      {},
      'yield',
      /^fw2's operator takes it by force$/,
    ],
    [
      'is asked before BACKUP came',
      { wanted: MASTER, request: request() },
      peer(),
      {},
      'stay',
      /while the manager here/,
    ],
    [
      'is asked, and both are MASTER, and it comes first',
      { wanted: MASTER, request: request({ since: NOW - 150 }) },
      peer(),
      {},
      'refuse',
      /fw1 comes first/,
    ],
    [
      'is asked, and both are MASTER, and the other comes first',
      { wanted: MASTER, request: request({ since: NOW - 150 }), order: ['fw2', 'fw1'], home: 'fw2' },
      peer(),
      {},
      'yield',
      /comes first/,
    ],
    [
      'is asked by one that comes first but holds no states',
      { wanted: MASTER, request: request({ since: NOW - 150, synced: false }), order: ['fw2', 'fw1'] },
      peer(),
      {},
      'refuse',
      /both managers want it/,
    ],
    [
      'is asked with a dead manager',
      { wanted: MASTER, request: request() },
      peer(),
      { manager: { kind: 'keepalived', alive: false } },
      'yield',
      /fw2 asks/,
    ],
    ['is told BACKUP alone, just now', { wanted: BACKUP }, dead, {}, 'stay', /nobody else is there/],
    [
      'is told BACKUP by VRRP alone, long ago',
      { wanted: wanted('replica', { since: NOW - 1000 }) },
      dead,
      {},
      'deactivate',
      /no peer answers/,
    ],
    [
      'is told STOP and is the last one',
      { wanted: wanted('replica', { since: NOW - 9000, word: 'STOP' }) },
      dead,
      {},
      'stay',
      /nobody else is there/,
    ],
    [
      'is released by the operator',
      { wanted: wanted('replica', { by: 'operator', word: 'release' }) },
      peer(),
      { manager: { kind: 'none', alive: true } },
      'deactivate',
      /operator says release/,
    ],
    [
      'has a rival for a moment',
      { wanted: BACKUP, contested: NOW - 10 },
      owning,
      {},
      'stay',
      /has to give it up/,
    ],
    [
      'has a rival that comes first, for a moment',
      { wanted: MASTER, contested: NOW - 10, order: ['fw2', 'fw1'] },
      peer({ owns: new Set(['fw1_fw2']), wants: new Set(['fw1_fw2']) }),
      {},
      'stay',
      /hasn't asked/,
    ],
    [
      'stood still, and nobody took it',
      { wanted: MASTER, doubt: stoodStill(3000) },
      peer(),
      {},
      'stay',
      /MASTER/,
    ],
    [
      'stood still, and its last known rival is silent',
      { wanted: MASTER, doubt: stoodStill(3000) },
      quiet,
      {},
      'stay',
      /MASTER/,
    ],
    [
      'stood still, and the peer took it',
      { wanted: MASTER, contested: NOW, doubt: stoodStill(3000) },
      owning,
      {},
      'deactivate',
      /^fw2 has taken it over: this node stood still for 3\.0 s$/,
    ],
    [
      'has a rival that is MASTER',
      { wanted: BACKUP, contested: NOW - 2000 },
      peer({ owns: new Set(['fw1_fw2']), wants: new Set(['fw1_fw2']) }),
      {},
      'deactivate',
      /comes first/,
    ],
    [
      'has a rival and is MASTER',
      { wanted: MASTER, contested: NOW - 10 },
      owning,
      {},
      'ask',
      /has to give it up/,
    ],
    [
      'has a rival, is MASTER and has asked',
      { wanted: MASTER, contested: NOW - 500, asked: asked({ since: NOW - 500 }) },
      owning,
      {},
      'stay',
      /has to give it up/,
    ],
    [
      'has a rival, is MASTER and has asked in vain',
      { wanted: MASTER, contested: NOW - 3000, asked: asked({ since: NOW - 2000 }) },
      owning,
      {},
      'ask',
      /has to give it up/,
    ],
    [
      'has only some buckets, unwanted',
      { wanted: BACKUP, active: 1 },
      peer(),
      {},
      'deactivate',
      /only 1 of 2 buckets/,
    ],
    [
      'has only some buckets, wanted',
      { wanted: MASTER, active: 1 },
      peer(),
      {},
      'activate',
      /only 1 of 2 buckets/,
    ],
  ])('that %s', (_, view, other, fields, kind, reason) => {
    const [decision] = decide(snapshot(group({ ...active, ...view }), other, fields));
    expect(decision).toMatchObject({ group: 'fw1_fw2', kind });
    expect(decision?.reason).toMatch(reason);
  });
});

describe('two owners', () => {
  it.each([
    ['both MASTER', true, true, 'ask'],
    ['neither MASTER', false, false, 'stay'],
  ])('%s: exactly one of the two gives it up', (_, mine, theirs, kept) => {
    const view = (active: number, want: boolean): GroupView =>
      group({ active, synced: true, wanted: want ? MASTER : BACKUP, contested: NOW - 2000 });
    const other = (name: string, want: boolean): PeerView =>
      peer({ name, owns: new Set(['fw1_fw2']), wants: new Set(want ? ['fw1_fw2'] : []) });
    const [first] = decide(snapshot(view(2, mine), other('fw2', theirs)));
    const [second] = decide({ ...snapshot(view(2, theirs), other('fw1', mine)), node: 'fw2' });
    expect([first?.kind, second?.kind]).toEqual([kept, 'deactivate']);
  });

  it('gives it to the one whose operator forced it, though the other comes first', () => {
    const forced = wanted('owner', { by: 'operator', word: 'takeover', force: true });
    const owned = { active: 2, synced: true, contested: NOW - 2000 };
    const other = { owns: new Set(['fw1_fw2']), wants: new Set(['fw1_fw2']) };
    const [first] = decide(
      snapshot(group({ ...owned, wanted: MASTER }), peer({ ...other, forced: new Set(['fw1_fw2']) })),
    );
    const second = snapshot(group({ ...owned, wanted: forced }), peer({ ...other, name: 'fw1' }));
    expect(first?.kind).toBe('deactivate');
    expect(decide({ ...second, node: 'fw2' })[0]?.kind).toBe('ask');
  });
});

describe('a replica of three that is told MASTER of what nobody owns', () => {
  const first = (fields: Partial<PeerView> = {}): PeerView => peer({ name: 'fw2', ...fields });
  const view = (since: number): GroupView =>
    group({ order: ['fw3', 'fw2', 'fw1'], synced: true, wanted: { ...MASTER, since } });

  it.each<[string, number, PeerView, string, RegExp]>([
    ['waits for the one that comes first', NOW - 99, first(), 'stay', /fw2 comes first/],
    ['waits no longer than the words may race', NOW - 100, first(), 'activate', /fw3 is silent/],
    ['waits for none that is silent', NOW, first({ silent: 300 }), 'activate', /fw2, fw3 is silent/],
    ['waits for none whose manager is dead', NOW, first({ managerAlive: false }), 'activate', /fw3/],
    ['waits for none without the states', NOW, first({ synced: new Set() }), 'activate', /fw3/],
    ['waits for none that has lost an interface', NOW, first({ lost: new Set(['eth1']) }), 'activate', /fw3/],
  ])('%s', (_, since, second, kind, reason) => {
    const third = peer({ name: 'fw3', reachable: false, silent: 400, owns: new Set(['fw1_fw2']) });
    const [decision] = decide(snapshotOf(view(since), [second, third]));
    expect(decision).toMatchObject({ kind });
    expect(decision?.reason).toMatch(reason);
  });
});

describe('an owner of three that has long been told BACKUP', () => {
  const long = wanted('replica', { since: NOW - 1000 });
  const third = (fields: Partial<PeerView> = {}): PeerView => peer({ name: 'fw3', ...fields });
  const wanting = { wants: new Set(['fw1_fw2']) };

  it.each<[string, readonly PeerView[], string, RegExp]>([
    ['sees both, and neither wants it', [peer(), third()], 'stay', /no peer has asked/],
    ['sees one, which wants it', [dead, third(wanting)], 'stay', /fw3 hasn't asked/],
    ['sees one, which does not want it', [dead, third()], 'deactivate', /BACKUP and fw2 can't be asked/],
    ['sees none', [dead, third({ reachable: false, silent: 5000 })], 'deactivate', /no peer answers/],
    [
      'has just lost one of two',
      [dead, third({ reachable: false, silent: 999 })],
      'stay',
      /nobody else is there/,
    ],
  ])('%s', (_, peers, kind, reason) => {
    const [decision] = decide(snapshotOf(group({ active: 2, synced: true, wanted: long }), peers));
    expect(decision).toMatchObject({ kind });
    expect(decision?.reason).toMatch(reason);
  });
});

describe('with Pacemaker', () => {
  const pacemaker = { manager: { kind: 'pacemaker', alive: true } } as const;
  const promoted = wanted('owner', { by: 'pacemaker', word: 'PROMOTED' });
  const demoted = (since: number) => wanted('replica', { by: 'pacemaker', word: 'UNPROMOTED', since });
  const dead = { manager: { kind: 'pacemaker', alive: false } } as const;

  it.each<[string, Partial<GroupView>, PeerView, Partial<Snapshot>, string, RegExp]>([
    ['the promoted node asks the owner', { wanted: promoted, synced: true }, owning, {}, 'ask', /PROMOTED/],
    ['it does not without the states', { wanted: promoted }, owning, {}, 'stay', /aren't here yet/],
    ['where nobody owns it, it activates at once', { wanted: promoted }, peer(), {}, 'activate', /PROMOTED/],
    [
      'a demoted node serves on',
      { active: 2, wanted: demoted(NOW - 999) },
      peer(),
      {},
      'stay',
      /no peer has asked/,
    ],
    [
      'a demoted node lets go though nobody asks',
      { active: 2, wanted: demoted(NOW - 1000) },
      peer(),
      {},
      'deactivate',
      /^pacemaker says UNPROMOTED and nobody has asked for it$/,
    ],
    [
      'a demoted node lets go when asked',
      { active: 2, wanted: demoted(NOW), request: request() },
      peer(),
      {},
      'yield',
      /fw2 asks for it/,
    ],
    [
      'a node whose Pacemaker is gone serves on',
      { active: 2, wanted: { ...promoted, since: NOW - 60_000 } },
      peer(),
      dead,
      'stay',
      /no peer has asked/,
    ],
    [
      'a node whose Pacemaker is gone takes nothing',
      { wanted: promoted, synced: true },
      peer({ reachable: false, silent: Number.POSITIVE_INFINITY }),
      dead,
      'stay',
      /./,
    ],
  ])('%s', (_, view, other, fields, kind, reason) => {
    const [decision] = decide(snapshot(group(view), other, { ...pacemaker, ...fields }));
    expect(decision).toMatchObject({ kind });
    expect(decision?.reason).toMatch(reason);
  });
});
