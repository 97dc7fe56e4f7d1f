import { beforeEach, describe, expect, it } from 'vitest';
import { OwnedBuckets } from '../../../src/agent/owned-buckets.ts';
import { groupsOf } from '../../../src/cluster/groups.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const groups = groupsOf(clusterConfig());
const [first = '', second = ''] = groups.map(({ name }) => name);
let kernel: ReadonlySet<number>;
let told: string[];
let owned: OwnedBuckets;

beforeEach(() => {
  kernel = new Set();
  told = [];
  owned = new OwnedBuckets(
    groups,
    { read: async () => kernel },
    () => told.push('vanished'),
    () => told.push('opened'),
  );
});

describe('who is told of the owned buckets', () => {
  it('is told of the first that are opened, and of no more', async () => {
    await owned.read();
    expect(told).toEqual([]);
    owned.changed([first], true);
    owned.changed([second], true);
    kernel = owned.now;
    await owned.read();
    expect(told).toEqual(['opened']);
  });

  it('is told of those that an earlier agent has left', async () => {
    kernel = new Set([1]);
    await owned.read();
    await owned.read();
    expect(told).toEqual(['opened']);
  });

  it('is told again when all were given up in between, or have ended', async () => {
    owned.changed([first], true);
    owned.changed([first], false);
    owned.changed([first], true);
    expect(told).toEqual(['opened', 'opened']);
    await owned.read();
    owned.changed([first], true);
    expect(told).toEqual(['opened', 'opened', 'vanished', 'opened']);
  });
});
