import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/cluster/decide.ts';
import type { Snapshot } from '../../../src/cluster/snapshot.ts';
import type { Decision } from '../../../src/cluster/verdict.ts';
import { storyOf } from './event.ts';
import { play } from './play.ts';
import { BrokenPromise } from './watch.ts';
import type { Words } from './world.ts';

type Judge = typeof decide;

/** `decide`, but what it would say to `snapshot` with some other view of the groups. */
const seeing =
  (change: (group: Snapshot['groups'][number]) => Partial<Snapshot['groups'][number]>): Judge =>
  (snapshot) =>
    decide({ ...snapshot, groups: snapshot.groups.map((group) => ({ ...group, ...change(group) })) });

/** `decide`, but `from` becomes `to`. */
const turning =
  (from: Decision['kind'], to: Decision['kind']): Judge =>
  (snapshot) =>
    decide(snapshot).map((decision) => (decision.kind === from ? { ...decision, kind: to } : decision));

/** `decide`, but an owner that shall be a replica doesn't wait for the new one's word. */
const releasing: Judge = (snapshot) =>
  decide(snapshot).map((decision) =>
    decision.reason.includes('no peer has asked') ? { ...decision, kind: 'deactivate' } : decision,
  );

const first: Judge = (snapshot) =>
  decide({
    ...snapshot,
    groups: snapshot.groups.map((group) => ({ ...group, order: [snapshot.node, ...group.order] })),
  });

/** What is broken, how, where it shows, and the promise that is seen broken. */
const BROKEN: readonly [string, Judge, Words, RegExp][] = [
  ['activates before the answer', turning('ask', 'activate'), 'vrrp', /own .* at once/],
  [
    'takes what it does not hold the states of',
    seeing(() => ({ synced: true })),
    'vrrp',
    /whose states it doesn't hold/,
  ],
  [
    'never gives up when asked',
    turning('yield', 'refuse'),
    'vrrp',
    /both own|owns .* though all is well|at once/,
  ],
  ['gives up without being asked', releasing, 'vrrp', /though nobody has asked for it/],
  ['grants without deactivating', turning('yield', 'grant'), 'vrrp', /at once/],
  ['always thinks that it comes first', first, 'any', /both own|have owned|at once/],
  ['never takes what nobody owns', turning('activate', 'stay'), 'vrrp', /nobody owns/],
];

describe('a simulated cluster whose decision is broken is found out when it', () => {
  it.each(BROKEN)('%s', async (_, broken, words, promise) => {
    const result = await fc.check(
      fc.asyncProperty(fc.nat(), storyOf(words, false), (seed, story) =>
        play({ nodes: 2, words, seed, decide: broken }, story),
      ),
      { numRuns: 60, seed: 7, endOnFailure: true },
    );
    const error = result.errorInstance;
    expect(error).toBeInstanceOf(BrokenPromise);
    expect(error instanceof Error ? error.message : '').toMatch(promise);
  });
});
