import { describe, expect, it } from 'vitest';
import { Commits } from '../../../src/agent/commits.ts';
import type { Decision, DecisionKind } from '../../../src/cluster/verdict.ts';
import type { Commit } from '../../../src/transitions/edges.ts';

const decision = (group: string, kind: DecisionKind = 'activate'): Decision => ({
  group,
  kind,
  reason: 'keepalived says MASTER',
});

const COMMIT: Commit = { committed: 70, refused: 2, milliseconds: 12.34 };

/** Commits that end when they are told to. */
const setUp = () => {
  const calls: string[] = [];
  const ends: { resolve: (commit: Commit) => void; reject: (error: Error) => void }[] = [];
  const commits = new Commits(
    {
      commit: () => {
        calls.push('commit');
        return new Promise((resolve, reject) => ends.push({ resolve, reject }));
      },
      flush: async () => {},
      count: async () => 0,
      dump: async function* () {},
      sent: async () => true,
    },
    {
      chronicle: {
        begin: (_, group) => calls.push(`begin ${group}`),
        done: (step, group) => calls.push(`${step} ${group}`),
      },
      reach: (step) => calls.push(`reach ${step}`),
      hold: (action) => action(),
      committed: () => calls.push('committed'),
      wake: () => calls.push('wake'),
      note: (level, text) => calls.push(`${level}: ${text}`),
    },
  );
  const end = async (number: number, result: Commit | Error = COMMIT): Promise<void> => {
    const commit = ends[number];
    result instanceof Error ? commit?.reject(result) : commit?.resolve(result);
    await commits.ended();
  };
  const count = (): number => calls.filter((call) => call === 'commit').length;
  return { commits, calls, end, count };
};

describe('Commits', () => {
  it('puts an activation off until its states are committed, and tells what became of them', async () => {
    const { commits, calls, end } = setUp();
    const first = commits.due([decision('a'), decision('b', 'stay')]);
    expect(first.decisions.map(({ kind }) => kind)).toEqual(['stay', 'stay']);
    expect(first.decisions[0]?.reason).toBe('keepalived says MASTER; its states are being committed');
    expect(commits.pending).toBe(true);
    await end(0);
    expect(calls.slice(-4)).toEqual([
      "warn: the kernel refused 2 states; conntrackd's log names them",
      'takeover.commit a',
      'committed',
      'wake',
    ]);
    const { decisions, began } = commits.due([decision('a')]);
    expect(decisions).toEqual([
      { ...decision('a'), reason: 'keepalived says MASTER; committed 70 states, refused 2, in 12.3 ms' },
    ]);
    expect(began).toBeLessThanOrEqual(performance.now());
    commits.activated(['a']);
    expect(commits.pending).toBe(false);
    expect(commits.last).toMatchObject({ groups: ['a'], committed: 70, refused: 2, ms: 12.3, failure: null });
  });

  it('makes one commit for all groups of a round, and never two at once', async () => {
    const { commits, end, count } = setUp();
    commits.due([decision('a'), decision('b')]);
    commits.due([decision('a'), decision('b'), decision('c')]);
    expect(count()).toBe(1);
    await end(0);
    const kinds = commits
      .due([decision('a'), decision('b'), decision('c')])
      .decisions.map(({ kind }) => kind);
    expect(kinds).toEqual(['activate', 'activate', 'stay']);
    expect(count()).toBe(2);
  });

  it('commits anew what was not wanted for a moment', async () => {
    const { commits, end, count } = setUp();
    commits.due([decision('a')]);
    commits.due([decision('a', 'stay')]);
    commits.due([decision('a')]);
    await end(0);
    expect(commits.due([decision('a')]).decisions[0]?.kind).toBe('stay');
    await end(1);
    expect(commits.due([decision('a')]).decisions[0]?.kind).toBe('activate');
    commits.due([decision('a', 'stay')]);
    expect(commits.due([decision('a')]).decisions[0]?.kind).toBe('stay');
    expect(count()).toBe(3);
  });

  it('activates all the same when the commit fails, and says so', async () => {
    const { commits, calls, end } = setUp();
    commits.due([decision('a')]);
    await end(0, new Error('nobody listens'));
    expect(calls).toContain('error: the states were not committed: nobody listens');
    expect(commits.due([decision('a')]).decisions).toEqual([
      { ...decision('a'), reason: 'keepalived says MASTER; its states were not committed' },
    ]);
    expect(commits.last).toMatchObject({ committed: null, refused: null, failure: 'nobody listens' });
  });

  it('does not make up what conntrackd does not tell', async () => {
    const { commits, end } = setUp();
    commits.due([decision('a')]);
    await end(0, { committed: undefined, refused: undefined, milliseconds: 5 });
    expect(commits.due([decision('a')]).decisions[0]?.reason).toBe(
      'keepalived says MASTER; committed in 5.0 ms',
    );
    expect(commits.last).toMatchObject({ committed: null, refused: null, ms: 5, failure: null });
  });
});
