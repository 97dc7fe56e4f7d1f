import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Memory } from '../../../src/agent/memory.ts';
import { Replicas } from '../../../src/agent/replicas.ts';
import { groupsOf } from '../../../src/cluster/groups.ts';
import { timeoutsOf } from '../../../src/cluster/timeouts.ts';
import type { Verification } from '../../../src/transitions/verify.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

/** As pino counts. */
const WARN = 40;

const config = clusterConfig();
const [GROUP, OTHER] = groupsOf(config);
const PEER = { name: 'fw2', groups: [OTHER?.name ?? ''], buckets: new Set(OTHER?.buckets) };

const setUp = () => {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const memory = new Memory('fw1', groupsOf(config), ['fw2'], timeoutsOf(config), 0);
  const replicas = new Replicas(groupsOf(config), memory, log, () => new Set(GROUP?.buckets));
  const isSynced = () =>
    memory
      .snapshot(new Set(GROUP?.buckets), { kind: 'none', alive: true }, 1)
      .groups.find(({ name }) => name === OTHER?.name)?.synced;
  return { replicas, lines, isSynced };
};

const whole: Verification = { synced: true, flows: 200, missing: 0, removed: 0, rounds: 1 };
const lacking: Verification = { synced: false, flows: 200, missing: 3, removed: 0, rounds: 9 };

describe('Replicas', () => {
  it('is not ready for what is still missing at the bound, says so, and is when it has come', () => {
    const { replicas, lines, isSynced } = setUp();
    replicas.note(PEER, whole);
    expect(isSynced()).toBe(true);
    expect(replicas.note(PEER, lacking)).toBe(false);
    const text =
      '3 of 200 flows of fw2 are still missing here; not synced: a takeover would cut their connections; see that conntrackd on fw2 sends them and nothing between the nodes drops them';
    expect(isSynced()).toBe(false);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ level: WARN, msg: `${text} [not-synced]` });
    expect(replicas.warnings).toEqual([{ code: 'not-synced', object: 'fw2', text }]);
    expect(replicas.results).toMatchObject([{ peer: 'fw2', synced: false, flows: 200, missing: 3 }]);
    expect(replicas.note(PEER, whole)).toBe(true);
    expect(isSynced()).toBe(true);
    expect(replicas.warnings).toEqual([]);
  });

  it('knows no per cent before the first list is whole', () => {
    const { replicas } = setUp();
    expect(replicas.comparison).toBeNull();
    const progress = { round: 1, flows: undefined, missing: undefined };
    replicas.comparing(PEER, { ...progress, listed: 150, found: 0 });
    expect(replicas.comparison).toEqual({ peer: 'fw2', round: 1, percent: 0, flows: null, missing: null });
    replicas.comparing(PEER, { ...progress, flows: 200, listed: 200, found: 100 });
    expect(replicas.comparison).toMatchObject({ percent: 75, flows: 200 });
    replicas.comparing(PEER, undefined);
    expect(replicas.comparison).toBeNull();
  });

  it('expects as many flows as last time, and never says 100', () => {
    const { replicas } = setUp();
    replicas.note(PEER, whole);
    const percentAt = (listed: number, found: number) => {
      replicas.comparing(PEER, {
        round: 2,
        flows: found > 0 ? listed : undefined,
        missing: 5,
        listed,
        found,
      });
      return replicas.comparison?.percent;
    };
    expect([percentAt(0, 0), percentAt(50, 0), percentAt(300, 0)]).toEqual([0, 12, 50]);
    expect([percentAt(300, 1), percentAt(300, 300)]).toEqual([50, 99]);
    expect(replicas.comparison).toMatchObject({ round: 2, missing: 5, flows: 300 });
  });
});
