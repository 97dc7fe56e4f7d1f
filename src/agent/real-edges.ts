import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterConfig } from '../config/types.ts';
import { untilRead } from '../conntrackd/backlog.ts';
import { commitExternal } from '../conntrackd/commit.ts';
import type { Control } from '../conntrackd/control.ts';
import { dumpExternal } from '../conntrackd/external-dump.ts';
import type { Health } from '../conntrackd/health.ts';
import { drained, sent } from '../conntrackd/progress.ts';
import { logFileOf } from '../conntrackd/render.ts';
import { parseStatistics } from '../conntrackd/statistics.ts';
import type { OwnedHandle } from '../dataplane/rules.ts';
import type { Conntrack } from '../kernel/conntrack.ts';
import type { Edges, ExternalCache } from '../transitions/edges.ts';

/** How long a drain is waited for before the cache is flushed all the same; adopting sends again what is owned. */
const DRAIN_MS = 2000;
/** How long conntrackd may take to read of what it has committed: a million flows. */
const READ_MS = 10_000;
/** How long a hand-over waits for the last states to leave. Less than the new owner waits for the answer. */
const SENT_MS = 200;

/** What transitions act on: the kernel's sets and flows, and conntrackd's caches. */
export const edgesOf = (
  config: ClusterConfig,
  owned: OwnedHandle,
  conntrack: Conntrack,
  control: Control,
  health: Health,
  cached = config.sync.replicas === 'cache',
): Edges => ({
  owned: {
    read: () => owned.read(),
    change: (change) => owned.change(change),
    renew: (buckets) => owned.renew(buckets),
  },
  table: {
    dump: (signal) => conntrack.dump({ signal }),
    touch: (tuples) => conntrack.touch(tuples),
    remove: (tuples) => conntrack.remove(tuples),
  },
  cache: {
    identity: () => health.identity(),
    drained: (signal) =>
      Promise.race([cached ? afterCommit(control) : drained(control, { bound: DRAIN_MS }), aborted(signal)]),
    flush: async () => {
      await control.send('flushInternal');
    },
    bulk: async () => {
      await control.send('bulk');
    },
  },
  external: cached ? externalOf(config, control) : undefined,
});

const externalOf = ({ paths, sync, timeouts }: ClusterConfig, control: Control): ExternalCache => ({
  commit: () =>
    commitExternal(control, {
      log: logFileOf(paths.conntrackd),
      port: sync.port,
      bound: timeouts.conntrackd,
    }),
  flush: async () => {
    await control.send('flushExternal');
  },
  count: async () => {
    const { external } = parseStatistics(await control.send('statistics'));
    return external.kind === 'cache' ? external.active : 0;
  },
  dump: (signal) => dumpExternal(control, signal),
  sent: () => Promise.race([sent(control, { bound: SENT_MS }), delay(SENT_MS, false)]),
});

/** conntrackd hears of each flow that it has committed; what it reads only after its cache was flushed stays in that. */
const afterCommit = async (control: Control): Promise<boolean> => {
  const read = await untilRead(READ_MS);
  return (await drained(control, { bound: DRAIN_MS })) && read;
};

/** False as soon as `signal` says so: who gives a group up must not wait for conntrackd's queues. */
const aborted = (signal: AbortSignal): Promise<false> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(false), { once: true });
    if (signal.aborted) {
      resolve(false);
    }
  });
