import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Crowd, type GroupWord } from '../../support/crowd.ts';

let crowd: Crowd;

beforeEach(async () => {
  crowd = await Crowd.start();
});

afterEach(() => crowd.close());

/** Words about each group, round after round; every other group's last one is MASTER, `first` or the one behind it. */
const burst = (first: 0 | 1): readonly GroupWord[] =>
  [
    ['STOP', 'MASTER'],
    ['MASTER', 'BACKUP'],
    ['FAULT', 'MASTER'],
    ['BACKUP', 'FAULT'],
    ['MASTER', 'BACKUP'],
  ].flatMap((words) =>
    crowd.groups.map(({ name: group }, index) => ({ group, word: words[(index + first) % 2] ?? '' })),
  );

/** The buckets of the groups whose last word makes this node their owner. */
const bucketsWanted = (said: readonly GroupWord[]): readonly number[] => {
  const last = new Map(said.map(({ group, word }) => [group, word]));
  return sorted(
    crowd.groups.filter(({ name }) => last.get(name) === 'MASTER').flatMap(({ buckets }) => buckets),
  );
};

const sorted = (buckets: Iterable<number>): readonly number[] =>
  [...buckets].sort((one, other) => one - other);

const untilOwned = (buckets: readonly number[]): Promise<void> =>
  vi.waitFor(() => expect(sorted(crowd.owned)).toEqual(buckets), { timeout: 10_000, interval: 20 });

it('takes 240 groups’ words in one burst: each group’s in order, and the newest wins', async () => {
  expect(crowd.groups).toHaveLength(240);
  const first = burst(0);
  crowd.say(first);
  await untilOwned(bucketsWanted(first));
  expect(crowd.words).toEqual(first);
  // What was taken is given up and the other half taken.
  const second = burst(1);
  crowd.say(second);
  await untilOwned(bucketsWanted(second));
  expect(crowd.words).toEqual([...first, ...second]);
  expect(bucketsWanted(first).length + bucketsWanted(second).length).toBe(1024);
});
