import { afterEach, describe, expect, it, vi } from 'vitest';
import { RangeWatch } from '../../../src/agent/range-watch.ts';
import type { Flow } from '../../../src/cluster/flow.ts';
import { hashingOf } from '../../../src/cluster/hashing.ts';
import { clusterConfig } from '../../support/cluster-config.ts';
import { flow, UDP } from '../../support/flows.ts';

let watch: RangeWatch | undefined;
afterEach(() => watch?.close());

/** A watch over a table in which one client has used up its ports, and what conntrack says that it dropped, look by look. */
const watching = (drops: readonly (number | undefined)[]) => {
  const config = clusterConfig();
  const flows: Flow[] = Array.from({ length: 1008 }, (_, index) =>
    flow(`192.168.0.20:${2000 + index}`, '8.8.8.8:53', `192.168.1.5:${31264 + index}`, UDP),
  );
  const dump = vi.fn(async function* () {
    yield flows;
  });
  const warn = vi.fn();
  const left = [...drops];
  watch = new RangeWatch(config, {
    drops: async () => left.shift(),
    table: { dump },
    sorting: () => ({ hashing: hashingOf(config), replicated: () => true }),
    log: { warn },
  });
  return { watch, dump, warn };
};

describe('RangeWatch', () => {
  it('counts nothing while conntrack drops nothing', async () => {
    const { watch, dump, warn } = watching([5, 5, 5]);
    for (const _ of [1, 2, 3]) await watch.look();
    expect(dump).not.toHaveBeenCalled();
    expect(warn).not.toHaveBeenCalled();
    expect([watch.refused, watch.warnings]).toEqual([0, []]);
  });

  it('says whose ports are used up when it has, once a minute', async () => {
    const { watch, dump, warn } = watching([5, 8, 9]);
    for (const _ of [1, 2, 3]) await watch.look();
    expect(watch.refused).toBe(4);
    expect(dump).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(watch.warnings[0]?.text).toBe(
      'bucket 30 has no port left for UDP to 8.8.8.8:53 (1008 connections, 1008 ports): new ones of its clients are dropped; add an address to snat, or use fewer buckets',
    );
  });

  it('is silent where the kernel does not tell', async () => {
    const { watch, dump } = watching([undefined, undefined]);
    for (const _ of [1, 2]) await watch.look();
    expect(dump).not.toHaveBeenCalled();
  });
});
