import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Memory } from '../../../src/agent/memory.ts';
import { Replicas } from '../../../src/agent/replicas.ts';
import { groupsOf } from '../../../src/cluster/groups.ts';
import { timeoutsOf } from '../../../src/cluster/timeouts.ts';
import type { Status } from '../../../src/observe/status.ts';
import type { Verification } from '../../../src/transitions/verify.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const config = clusterConfig();
const [OURS, THEIRS] = groupsOf(config);
const GROUP = THEIRS?.name ?? '';
const PEER = { name: 'fw2', groups: [GROUP], buckets: new Set(THEIRS?.buckets) };
/** As pino counts. */
const [INFO, WARN] = [30, 40];

const whole: Verification = { synced: true, flows: 200, missing: 0, removed: 0, rounds: 1 };
const lacking: Verification = { synced: false, flows: 200, missing: 3, removed: 0, rounds: 9 };

const setUp = () => {
  const lines: { level: number; msg: string }[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const now = performance.now();
  const memory = new Memory('fw1', groupsOf(config), ['fw2'], timeoutsOf(config), now, 100_000);
  const owned = new Set(OURS?.buckets);
  let state: Status['conntrackd'] = 'ok';
  const replicas = new Replicas(
    groupsOf(config),
    memory,
    log,
    () => owned,
    () => state,
  );
  const hear = (fields: { owns?: string[]; unfit?: boolean } = {}, at = performance.now()) =>
    memory.heard(
      'fw2',
      'session',
      {
        type: 'status',
        managerAlive: true,
        owns: [GROUP],
        wants: [],
        forced: [],
        synced: [],
        lost: [],
        drained: false,
        ...fields,
      },
      at,
    );
  hear();
  return {
    replicas,
    memory,
    lines,
    hear,
    become: (next: Status['conntrackd']) => {
      state = next;
    },
    isSynced: (at = performance.now()) =>
      memory.snapshot(owned, { kind: 'none', alive: true }, at).groups.find(({ name }) => name === GROUP)
        ?.synced,
    texts: () => replicas.warnings.map(({ code, object, text }) => `${code} ${object}: ${text}`),
    said: (level: number) => lines.filter((line) => line.level === level).map(({ msg }) => msg),
  };
};

describe('why the states of a peer are not held', () => {
  it('is said by code, logged once while it lasts, and so is its end', () => {
    const { replicas, isSynced, texts, said } = setUp();
    replicas.note(PEER, whole);
    expect(isSynced()).toBe(true);
    replicas.note(PEER, lacking);
    replicas.note(PEER, { ...lacking, missing: 4 });
    expect(isSynced()).toBe(false);
    expect(texts()).toEqual([
      expect.stringMatching(/^not-synced fw2: 4 of 200 flows of fw2 are still missing here; not synced: /),
    ]);
    expect(said(WARN)).toHaveLength(1);
    replicas.note(PEER, whole);
    expect(isSynced()).toBe(true);
    expect(texts()).toEqual([]);
    expect(said(INFO).at(-1)).toMatch(/^no longer so: 4 of 200 flows of fw2 .* \[not-synced\]$/);
  });

  it('may be that the kernel refuses them', () => {
    const { replicas, texts } = setUp();
    replicas.note(PEER, lacking, 17);
    expect(texts()).toEqual([expect.stringContaining('the kernel has refused 17 states')]);
  });

  it('may be that no comparison can be made', () => {
    const { replicas, isSynced, texts } = setUp();
    replicas.note(PEER, whole);
    replicas.unverifiable(PEER, 'connection refused');
    replicas.unverifiable(PEER, 'connection refused');
    expect(isSynced()).toBe(false);
    expect(texts()).toEqual([expect.stringMatching(/can't be compared; not synced: .* connection refused$/)]);
  });

  it('may be that conntrackd here is unfit for longer than a restart takes', () => {
    const { replicas, become, texts, said } = setUp();
    const now = performance.now();
    become('unfit');
    replicas.look(now);
    replicas.look(now + 1900);
    expect(texts()).toEqual([]);
    replicas.look(now + 2001);
    expect(texts()).toEqual([expect.stringContaining('conntrackd is unfit here')]);
    become('ok');
    replicas.look(now + 2100);
    expect(texts()).toEqual([]);
    expect(said(INFO)).toEqual([expect.stringMatching(/^no longer so: conntrackd is unfit here/)]);
  });

  it('may be that the owner’s is: whatever is compared', () => {
    const { replicas, hear, isSynced, texts } = setUp();
    replicas.note(PEER, whole);
    hear({ unfit: true });
    replicas.look(performance.now());
    expect(isSynced()).toBe(false);
    replicas.note(PEER, whole);
    expect(isSynced()).toBe(false);
    expect(texts()).toEqual([expect.stringContaining('conntrackd is unfit on fw2')]);
    hear({});
    replicas.look(performance.now());
    expect(texts()).toEqual([]);
    replicas.note(PEER, whole);
    expect(isSynced()).toBe(true);
  });

  it('may be that the last comparison is too old', () => {
    const { replicas, hear, isSynced, texts } = setUp();
    replicas.note(PEER, whole);
    const later = performance.now() + 100_001;
    hear({}, later);
    expect(isSynced(later)).toBe(false);
    replicas.look(performance.now());
    expect(texts()).toEqual([expect.stringContaining('no comparison with fw2 has come to an end')]);
    replicas.note(PEER, whole);
    expect(texts()).toEqual([]);
  });

  it('is of no interest once the peer owns nothing', () => {
    const { replicas, hear, texts, said } = setUp();
    replicas.note(PEER, lacking);
    hear({ owns: [] });
    replicas.look(performance.now());
    expect(texts()).toEqual([]);
    expect(said(WARN)).toHaveLength(1);
  });
});
