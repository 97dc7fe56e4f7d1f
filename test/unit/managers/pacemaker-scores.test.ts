import { describe, expect, it } from 'vitest';
import { Scores } from '../../../src/managers/pacemaker/scores.ts';

const scoresOf = (resources: Record<string, string>, fails = () => false) => {
  const calls: string[] = [];
  const failures: string[] = [];
  const scores = new Scores({
    resourceOf: (group) => resources[group],
    update: async (args) => {
      calls.push(args.join(' '));
      if (fails()) {
        throw new Error('attrd_updater: Connection refused');
      }
    },
    failed: (reason) => failures.push(reason),
  });
  return { scores, calls, failures };
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('promotion scores', () => {
  it('are published when they change, and again after half a minute', async () => {
    const { scores, calls } = scoresOf({ fw1_fw2: 'fw1_fw2' });
    for (const [score, now] of [
      [100, 0],
      [100, 100],
      [1, 200],
      [1, 20_000],
      [1, 30_200],
      [undefined, 30_300],
    ] as const) {
      scores.set('fw1_fw2', score, now);
      await settled();
    }
    expect(calls).toEqual([
      '-n master-fw1_fw2 -U 100',
      '-n master-fw1_fw2 -U 1',
      '-n master-fw1_fw2 -U 1',
      '-n master-fw1_fw2 -D',
    ]);
  });

  it('are published only of what Pacemaker has started, by the name of its resource', async () => {
    const resources: Record<string, string> = {};
    const { scores, calls } = scoresOf(resources);
    scores.set('fw1_fw2', 100, 0);
    await settled();
    expect(calls).toEqual([]);
    resources['fw1_fw2'] = 'left';
    scores.set('fw1_fw2', 100, 1);
    await settled();
    expect(calls).toEqual(['-n master-left -U 100']);
    delete resources['fw1_fw2'];
    scores.set('fw1_fw2', 100, 2);
    resources['fw1_fw2'] = 'left';
    scores.set('fw1_fw2', 100, 3);
    await settled();
    expect(calls).toHaveLength(2);
  });

  it('that come while one is being published: the newest wins', async () => {
    const { scores, calls } = scoresOf({ fw1_fw2: 'fw1_fw2' });
    scores.set('fw1_fw2', 100, 0);
    scores.set('fw1_fw2', 90, 0);
    scores.set('fw1_fw2', 1, 0);
    await settled();
    await settled();
    expect(calls.at(-1)).toBe('-n master-fw1_fw2 -U 1');
  });

  it('that can’t be published are tried again after five seconds, and said once', async () => {
    const { scores, calls, failures } = scoresOf({ fw1_fw2: 'fw1_fw2' }, () => true);
    for (const now of [0, 100, 4900, 5000, 5100]) {
      scores.set('fw1_fw2', 100, now);
      await settled();
    }
    expect(calls).toHaveLength(2);
    expect(failures).toEqual(['attrd_updater: Connection refused']);
  });
});
