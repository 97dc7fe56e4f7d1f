import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DestroyedStates } from '../../../src/agent/destroyed-states.ts';

const back = { from: ['fw2'], lost: 9, returned: 9, milliseconds: 740, fresh: true };

const setUp = () => {
  const lines: string[] = [];
  const log = {
    info: (text: string) => lines.push(`info ${text}`),
    warn: (text: string) => lines.push(`warn ${text}`),
  };
  return { destroyed: new DestroyedStates(log), lines };
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('DestroyedStates', () => {
  it('says once what was done, and in the log when it has ended', () => {
    const { destroyed, lines } = setUp();
    destroyed.flushed(back, true);
    expect(destroyed.warnings).toEqual([
      {
        code: 'states-destroyed',
        object: 'conntrackd',
        text: expect.stringMatching(/^at .*: 9 were missing, and fw2 gave 9 back within 0.7 s; .*; find /),
      },
    ]);
    expect(lines).toEqual([expect.stringMatching(/^warn .*\[states-destroyed\]$/)]);
    vi.advanceTimersByTime(600_000);
    expect(destroyed.warnings).toEqual([]);
    expect(lines).toEqual([
      expect.anything(),
      expect.stringMatching(/^info nothing of the kind for 10 minutes/),
    ]);
  });

  it('says in the log once a minute what goes on, and in the status what was last', () => {
    const { destroyed, lines } = setUp();
    for (let second = 0; second < 150; second++) {
      destroyed.deleted({ looked: 10, vanished: (second % 9) + 1 });
      vi.advanceTimersByTime(1000);
    }
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(3);
    expect(destroyed.warnings[0]?.text).toMatch(/6 of 10/);
    expect(lines).toHaveLength(3);
  });

  it('remembers the last of each kind', () => {
    const { destroyed } = setUp();
    destroyed.flushed(back, true);
    vi.advanceTimersByTime(400_000);
    destroyed.flushed({ ...back, lost: 3, returned: 1 }, true);
    destroyed.loadedTable();
    destroyed.emptied(0, 9);
    destroyed.deleted({ looked: 10, vanished: 8 });
    vi.advanceTimersByTime(400_000);
    expect(destroyed.warnings.map(({ code, object }) => `${code} ${object}`)).toEqual([
      'states-destroyed conntrackd',
      'conntrackd-ordered -R',
      'conntrackd-ordered -f',
      'states-destroyed connections',
    ]);
    expect(destroyed.warnings[0]?.text).toMatch(
      /3 were missing, and fw2 gave 1 back .*; 2 connections are cut off/,
    );
  });

  it.each([
    [
      'nobody answers',
      { ...back, from: [], lost: 0, returned: 0 },
      true,
      /no peer could be asked .* cut off/,
    ],
    ['the replicas hold no more', { ...back, lost: 0, returned: 0 }, true, /fw2 holds none .* cut off/],
    ['they were copies', { ...back, lost: 0, returned: 0 }, false, /these were copies/],
  ])('says it if %s', (_, result, owner, text) => {
    const { destroyed } = setUp();
    destroyed.flushed(result, owner);
    expect(destroyed.warnings[0]?.text).toMatch(text);
  });

  it('says nothing of what is older than the agent and has done no harm', () => {
    const { destroyed, lines } = setUp();
    destroyed.flushed({ ...back, lost: 0, returned: 0, fresh: false }, true);
    expect(destroyed.warnings).toEqual([]);
    expect(lines).toEqual([]);
  });
});
