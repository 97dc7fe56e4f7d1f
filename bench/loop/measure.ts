import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Crowd } from '../../test/support/crowd.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { progress } from '../progress.ts';
import { report } from './report.ts';

/** What one burst of words, one for each group, came to; in milliseconds. */
export interface Burst {
  /** From the write to the transaction that activates the last group. */
  readonly allActiveMs: number;
  /** Longest time between two turns of the event loop, in it and in the second after. */
  readonly heldMs: number;
}

export interface Results {
  readonly environment: Environment;
  /** Of the last minute, when it began. */
  readonly load: number;
  readonly groups: number;
  readonly bursts: readonly Burst[];
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

const AFTER_MS = 1000;
const BOUND_MS = 20_000;

/** 240 groups' words at once, in the real FIFO, for the real agent; the kernel's set is in memory. */
export const measureLoop = async ({ quick, json }: Options): Promise<void> => {
  const environment = await readEnvironment();
  const [load = 0] = loadavg();
  let changed = (): void => {};
  const crowd = await Crowd.start(() => changed());
  try {
    const all = crowd.groups.flatMap(({ buckets }) => buckets).length;
    const say = async (word: string, owned: number): Promise<number> => {
      const began = performance.now();
      const done = new Promise<number>((resolve, reject) => {
        const bound = setTimeout(
          () => reject(new Error(`${crowd.owned.size} buckets after ${word}`)),
          BOUND_MS,
        );
        changed = () => {
          if (crowd.owned.size === owned) {
            clearTimeout(bound);
            resolve(performance.now() - began);
          }
        };
      });
      crowd.say(crowd.groups.map(({ name: group }) => ({ group, word })));
      return done;
    };
    const bursts: Burst[] = [];
    const repetitions = quick ? 2 : 20;
    for (let turn = 1; turn <= repetitions; turn += 1) {
      const longest = watchTurns();
      const allActiveMs = await say('MASTER', all);
      await sleep(AFTER_MS);
      bursts.push({ allActiveMs, heldMs: longest() });
      await say('BACKUP', 0);
      await sleep(AFTER_MS);
      progress('240 groups at once', { done: turn, of: repetitions });
    }
    const results: Results = { environment, load, groups: crowd.groups.length, bursts };
    if (json !== undefined) {
      await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
    }
    console.log(report(results));
  } finally {
    await crowd.close();
  }
};

/** Watches the event loop until what is returned is called, and gives the longest time between two turns. */
const watchTurns = (): (() => number) => {
  let longest = 0;
  let last = performance.now();
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  return () => {
    clearInterval(timer);
    look();
    return longest;
  };
};
