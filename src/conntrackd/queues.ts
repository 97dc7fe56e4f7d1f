import { MalformedAnswer } from './errors.ts';
import { numberOf, readSections, type Section } from './report.ts';

/** conntrackd's queues towards the peer. */
export interface Queues {
  /** To be sent. */
  readonly transmit: Queue;
  /** Sent and not yet acknowledged; only FTFW has it. */
  readonly resend: Queue | undefined;
}

export interface Queue {
  readonly current: number;
  readonly maximum: number;
  /** Times that something found the queue full: of the resend queue, messages that can't be sent again. */
  readonly full: number;
}

/** One message that waits for its acknowledgement. */
export interface Unacknowledged {
  /** A flow's state, or the protocol's own. */
  readonly kind: 'object' | 'control';
  /** 32 bits unsigned, wraps round. */
  readonly sequence: number;
}

/**
 * Reads the answer to `queue`.
 *
 * @throws {MalformedAnswer}
 */
export const parseQueues = (answer: string): Queues => {
  const sections = readSections('queue', answer);
  const transmit = sections.find((section) => section.title === 'queue txqueue');
  const resend = sections.find((section) => section.title === 'queue rsqueue');
  if (transmit === undefined) {
    throw new MalformedAnswer('queue', 0, '"queue txqueue" is missing');
  }
  return { transmit: readQueue(transmit), resend: resend && readQueue(resend) };
};

/**
 * Reads the answer to `resendQueue`, oldest first.
 *
 * @throws {MalformedAnswer}
 */
export const parseResendQueue = (answer: string): readonly Unacknowledged[] => {
  const [head, ...rest] = answer.split('\n');
  if (!/^resent queue \(len=\d+\)$/.test(head ?? '') || rest.pop() !== '') {
    throw new MalformedAnswer(
      'resend queue',
      1,
      `expected "resent queue (len=N)", got "${head?.slice(0, 80)}"`,
    );
  }
  return rest.map((text, index) => {
    const groups = /^(?<kind>object|control) -> seq:(?<sequence>\d+)( flags:\d+)?$/.exec(text)?.groups;
    if (groups === undefined) {
      throw new MalformedAnswer('resend queue', index + 2, `cannot read "${text.slice(0, 80)}"`);
    }
    return { kind: groups['kind'] === 'object' ? 'object' : 'control', sequence: Number(groups['sequence']) };
  });
};

const readQueue = (section: Section): Queue => ({
  current: numberOf('queue', section, 'current elements'),
  maximum: numberOf('queue', section, 'maximum elements'),
  full: numberOf('queue', section, 'not enough space errors'),
});
