import fc from 'fast-check';
import { describe, it } from 'vitest';
import { type Story, storyOf } from './event.ts';
import { play } from './play.ts';
import type { Words } from './world.ts';

/** Stories for each kind of world; MODEL_RUNS for longer campaigns, MODEL_SEED to repeat or to vary them. */
const RUNS = Number(process.env['MODEL_RUNS'] ?? 30);
const SEED = Number(process.env['MODEL_SEED'] ?? 7);

const worlds: readonly [string, Words, number, boolean][] = (['vrrp', 'any', 'operator'] as const).flatMap(
  (words) =>
    [2, 3].flatMap((nodes) =>
      [true, false].map((tame): [string, Words, number, boolean] => [
        `${nodes} nodes, words by ${words}, ${tame ? 'nobody goes unheard' : 'anything happens'}`,
        words,
        nodes,
        tame,
      ]),
    ),
);

describe('a simulated cluster keeps its promises', () => {
  it.each(worlds)(
    '%s',
    async (_, words, nodes, tame) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), storyOf(words, tame), async (seed: number, story: Story) => {
          await play({ nodes, words, seed }, story);
        }),
        { numRuns: RUNS, seed: SEED, endOnFailure: process.env['MODEL_SHRINK'] === undefined },
      );
    },
    3_600_000,
  );
});
