import { describe, expect, it } from 'vitest';
import { MalformedAnswer } from '../../../src/conntrackd/errors.ts';
import { parseStatistics } from '../../../src/conntrackd/statistics.ts';
import { EXTERNAL_CACHE, STATISTICS } from './answers.ts';

describe('parseStatistics', () => {
  it('reads every counter', () => {
    expect(parseStatistics(STATISTICS)).toEqual({
      internal: {
        active: 3,
        created: { done: 4, failed: 0 },
        updated: { done: 5, failed: 0 },
        destroyed: { done: 1, failed: 0 },
      },
      external: {
        kind: 'inject',
        created: { done: 7, failed: 2 },
        updated: { done: 8, failed: 0 },
        destroyed: { done: 6, failed: 1 },
      },
      link: {
        device: 'eth3',
        sent: { bytes: 284, packets: 5, errors: 0 },
        received: { bytes: 32, packets: 2, errors: 9 },
      },
      malformedMessages: 0,
      lostMessages: 11,
    });
  });

  it('tells an external cache from injection', () => {
    const answer = STATISTICS.replace(/external inject:\n(.+\n)+/, EXTERNAL_CACHE);
    expect(parseStatistics(answer).external).toMatchObject({
      kind: 'cache',
      active: 12,
      created: { done: 13 },
    });
  });

  it.each([
    ['nothing', '', 0, 'it is empty'],
    ['a cut answer', STATISTICS.slice(0, 100), 0, 'it is cut off'],
    ['half a line', `${STATISTICS.slice(0, 100)}\n`, 3, 'cannot read'],
    ['another program', 'Hello World\n', 1, 'cannot read "Hello World"'],
    [
      'another mode',
      STATISTICS.replace('cache internal', 'internal bypass'),
      0,
      '"cache internal" is missing',
    ],
    ['a word for a number', STATISTICS.replace('           4\tf', 'many\tf'), 3, 'expected a number'],
    ['a negative number', STATISTICS.replace('           4\tf', '          -4\tf'), 3, 'got "-4"'],
    [
      'a missing label',
      STATISTICS.replace(/connections updated.*\n/, ''),
      1,
      '"connections updated" is missing',
    ],
    [
      'a missing column',
      STATISTICS.replace(/\tfailed:\t +2/, ''),
      7,
      '"connections created failed" is missing',
    ],
    [
      'no link',
      STATISTICS.replace('UDP traffic (active device=eth3):', 'x:'),
      0,
      'dedicated link is missing',
    ],
  ])('names the place in %s', (_, answer, line, problem) => {
    expect(() => parseStatistics(answer)).toThrow(problem);
    expect(() => parseStatistics(answer)).toThrow(
      expect.objectContaining({ name: 'MalformedAnswer', line, constructor: MalformedAnswer }),
    );
  });
});
