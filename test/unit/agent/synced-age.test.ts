import { describe, expect, it } from 'vitest';
import { Memory } from '../../../src/agent/memory.ts';
import { groupsOf } from '../../../src/cluster/groups.ts';
import { timeoutsOf } from '../../../src/cluster/timeouts.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const config = clusterConfig();
const [, theirs] = groupsOf(config);
const GROUP = theirs?.name ?? '';
const BELIEVED = 100_000;

const STATUS = {
  type: 'status',
  managerAlive: true,
  owns: [GROUP],
  wants: [],
  forced: [],
  synced: [],
  lost: [],
  drained: false,
} as const;

const setUp = () => {
  const memory = new Memory('fw1', groupsOf(config), ['fw2'], timeoutsOf(config), 0, BELIEVED);
  const hear = (now: number, owns: string[] = [GROUP]) =>
    memory.heard('fw2', 'session', { ...STATUS, owns, wants: [], forced: [], synced: [], lost: [] }, now);
  const isSynced = (now: number, owned: readonly number[] = []) =>
    memory
      .snapshot(new Set(owned), { kind: 'none', alive: true }, now)
      .groups.find(({ name }) => name === GROUP)?.synced;
  hear(0);
  memory.synced([GROUP], 'fw2', 0);
  return { memory, hear, isSynced };
};

describe('what a comparison found', () => {
  it('counts for two periods, and no longer while the owner can be compared with', () => {
    const { memory, hear, isSynced } = setUp();
    hear(BELIEVED);
    expect(isSynced(BELIEVED)).toBe(true);
    expect(memory.hasLapsed('fw2')).toBe(false);
    expect(isSynced(BELIEVED + 1)).toBe(false);
    expect(memory.hasLapsed('fw2')).toBe(true);
    memory.synced([GROUP], 'fw2', BELIEVED + 2);
    expect(isSynced(BELIEVED + 3)).toBe(true);
    expect(memory.hasLapsed('fw2')).toBe(false);
  });

  it('says nothing of a former owner, which gave the group to another and is compared with', () => {
    const memory = new Memory('fw1', groupsOf(config), ['fw2', 'fw3'], timeoutsOf(config), 0, BELIEVED);
    memory.synced([GROUP], 'fw2', 0);
    const status = { ...STATUS, wants: [], forced: [], synced: [], lost: [] };
    memory.heard('fw2', 'session', { ...status, owns: [] }, BELIEVED + 1);
    memory.heard('fw3', 'session', { ...status, owns: [GROUP] }, BELIEVED + 1);
    memory.snapshot(new Set(), { kind: 'none', alive: true }, BELIEVED + 1);
    expect([memory.hasLapsed('fw2'), memory.hasLapsed('fw3')]).toEqual([false, false]);
  });

  it('goes on counting when the owner has died: nobody can be compared with', () => {
    const { isSynced } = setUp();
    expect(isSynced(BELIEVED / 2)).toBe(true);
    expect(isSynced(10 * BELIEVED)).toBe(true);
  });

  it('does not count again because its owner dies after it has lapsed', () => {
    const { hear, isSynced } = setUp();
    hear(BELIEVED + 1);
    expect(isSynced(BELIEVED + 1)).toBe(false);
    expect(isSynced(2 * BELIEVED)).toBe(false);
  });

  it('is of no importance to who owns the group', () => {
    const { hear, isSynced } = setUp();
    hear(2 * BELIEVED, []);
    expect(isSynced(2 * BELIEVED, theirs?.buckets)).toBe(true);
  });

  it('counts from the hand-over for what this node has given away', () => {
    const { memory, hear, isSynced } = setUp();
    memory.changed(GROUP, BELIEVED, 'fw2');
    hear(2 * BELIEVED);
    expect(isSynced(2 * BELIEVED)).toBe(true);
    hear(2 * BELIEVED + 1);
    expect(isSynced(2 * BELIEVED + 1)).toBe(false);
  });
});
