import { describe, expect, it } from 'vitest';
import { parseQueues, parseResendQueue } from '../../../src/conntrackd/queues.ts';
import { QUEUE, RESEND_QUEUE } from './answers.ts';

describe('parseQueues', () => {
  it('reads both queues', () => {
    expect(parseQueues(QUEUE)).toEqual({
      transmit: { current: 4, maximum: 2_147_483_647, full: 0 },
      resend: { current: 203, maximum: 1_048_576, full: 5 },
    });
  });

  it('does without the resend queue, which only FTFW has', () => {
    expect(parseQueues(QUEUE.replace(/queue rsqueue(.*\n)+/, '\n')).resend).toBeUndefined();
  });

  it('names what is missing', () => {
    expect(() => parseQueues('queue other:\ncurrent elements:\t\t 1\n')).toThrow(
      '"queue txqueue" is missing',
    );
  });
});

describe('parseResendQueue', () => {
  it('reads flows and control messages', () => {
    expect(parseResendQueue(RESEND_QUEUE)).toEqual([
      { kind: 'object', sequence: 1_795_390_703 },
      { kind: 'object', sequence: 1_795_390_704 },
      { kind: 'control', sequence: 1_795_390_706 },
    ]);
  });

  it.each([
    ['', 'line 1'],
    ['resent queue (len=1)', 'line 1'],
    ['resent queue (len=1)\nobject -> seq:x\n', 'line 2: cannot read "object -> seq:x"'],
  ])('refuses %j', (answer, problem) => {
    expect(() => parseResendQueue(answer)).toThrow(problem);
  });
});
