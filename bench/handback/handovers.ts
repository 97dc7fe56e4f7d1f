import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../test/lab/rig/lab.ts';
import { until } from '../../test/lab/rig/wait.ts';
import type { Arrivals } from '../programs/arrivals.ts';
import { progress } from '../progress.ts';
import { Stream } from '../stream.ts';
import { SetWatch } from './set-watch.ts';

/** What a flow saw of one hand-over, and the kernels. */
export interface Handover extends Arrivals {
  /** From the old owner's kernel closing to the new one's being open, milliseconds. Below 0: both were open. */
  readonly closedMs: number;
}

export interface Handovers {
  /** fw1 gives its group to fw2. */
  readonly away: readonly Handover[];
  /** fw1 takes it back. */
  readonly back: readonly Handover[];
  /** The same flow for as long, while nothing was handed over: what of it is the machine's. */
  readonly rest: readonly Arrivals[];
}

/** How fw1's group is made to go and to come back. */
export interface Ways {
  readonly away: () => Promise<unknown>;
  readonly back: () => Promise<unknown>;
  /** Waits until the next hand-over can be asked for. `changed`: when the last one was, Date.now(); 0: there was none. */
  readonly settle: (to: 'home' | 'backup', changed: number) => Promise<unknown>;
}

/** A bucket of fw1's. */
const BUCKET = 0;
/** For what is still under way when the new owner is open. */
const AFTER_MS = 100;
/** About what a manager takes to move a group, for the time of comparison. */
const REST_MS = 600;

/** Has fw1's group go to fw2 and come back so many times, under a flow of one datagram a millisecond. */
export const measureHandovers = async (
  lab: Lab,
  what: string,
  repetitions: number,
  ways: Ways,
): Promise<Handovers> => {
  const stream = new Stream(lab);
  const [home, backup] = await Promise.all([
    SetWatch.start(lab.node('fw1')),
    SetWatch.start(lab.node('fw2')),
  ]);
  await stream.flows();
  let changed = 0;
  const handOver = async (way: 'away' | 'back', from: SetWatch, to: SetWatch): Promise<Handover> => {
    await ways.settle(way === 'away' ? 'backup' : 'home', changed);
    await stream.arrivals();
    from.forget();
    to.forget();
    await ways[way]();
    const opened = await openedAt(to);
    changed = Date.now() - (monotonicMs() - opened);
    await sleep(AFTER_MS);
    const closed = from.wentAt(BUCKET);
    if (closed === undefined) {
      throw new Error(`${way}: the old owner is still open; were there errors? ${await lab.logs(20)}`);
    }
    return { ...(await stream.arrivals()), closedMs: opened - closed };
  };
  const [away, back, rest]: [Handover[], Handover[], Arrivals[]] = [[], [], []];
  for (let turn = 1; turn <= repetitions; turn += 1) {
    await stream.arrivals();
    await sleep(REST_MS);
    rest.push(await stream.arrivals());
    away.push(await handOver('away', home, backup));
    await sleep(REST_MS);
    back.push(await handOver('back', backup, home));
    progress(`${what}: hands back`, { done: turn, of: repetitions });
  }
  return { away, back, rest };
};

/** The clock of what `SetWatch` tells. */
const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** The old owner has given it up; the new one may have to commit first. */
const openedAt = async (watch: SetWatch): Promise<number> => {
  const at = await until(
    'the new owner',
    () => watch.cameAt(BUCKET),
    60_000,
    (seen) => seen !== undefined,
  );
  return at ?? 0;
};
